/**
 * @module How long anything may take, in seconds, each with its reason. The server's own limits stand in its modules
 * (`_…_SECONDS`); those here are wider where both watch the same thing.
 */

/** For a TCP connection and an SSH greeting: a server that reboots answers later, and the next run finds it. */
export const connectSeconds = 15;
/** How long OpenSSH keeps a shared connection open after its last use. */
export const keepConnectionSeconds = 30;
/** A shared connection used that recently is taken without a look whether it still answers. */
export const freshConnectionSeconds = keepConnectionSeconds - 5;
/** For a shared connection to say that it still answers. */
export const checkConnectionSeconds = 5;
/** For a server to log in and to allocate a port. */
export const forwardSeconds = 60;

/** To see whether a server is there at all, before something is planned for it. */
export const reachSeconds = 10;
/** For a page of a town. */
export const httpSeconds = 10;
/** For a question that a server answers from its files. */
export const questionSeconds = 30;
/** For a question that also asks Docker or the database, which may be busy. */
export const inspectionSeconds = 40;
/** For a remote command that changes a few files; also of any command without a limit of its own. */
export const commandSeconds = 120;
/** For the words of `certificate issue` that change nothing: the server's own look at the certificate may wait for the lock. */
export const certificateCheckSeconds = 240;
/** For first accounts, which the suite's API makes. */
export const initSeconds = 300;
/** For the demo's reports, photos and accounts. */
export const demoSeconds = 600;
/** certbot's tries with back-off, within the server's own limit of 180 s for the last one's begin. */
export const certificateSeconds = 600;
/** For an activation to be undone. */
export const undoSeconds = 600;
/** For one image to be pulled, or one tree to be sent, over a slow line. */
export const transferSeconds = 1800;
/** For an activation, or the images of a release to be built on a server. */
export const activationSeconds = 3600;
/** For a backup: the town with the most photos, at 10 MiB/s. */
export const backupSeconds = 6 * 3600;
