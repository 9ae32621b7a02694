/** @module The lab's own error: what failed, and what to do next. */
export class LabError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "LabError";
    this.hint = hint;
  }
}
