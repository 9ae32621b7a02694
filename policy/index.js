// The engine's runner compiles what it is given as TypeScript of its own taste; Node runs ours as it is.
import "./pack.ts";
