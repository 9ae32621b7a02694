/** @module Progress lines of the lab: what is done, and how long it took. */

/** Runs `work` and prints one line with its duration on stderr. A failure is printed as such and thrown on. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const line = (mark: string) => {
    process.stderr.write(`${mark} ${name} ${seconds(performance.now() - start)}\n`);
  };
  try {
    const result = await work();
    line("✓");
    return result;
  } catch (error) {
    line("✗");
    throw error;
  }
}

/** Milliseconds as text, e.g. `1.3 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
