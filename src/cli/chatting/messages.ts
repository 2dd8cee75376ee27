// Messages out of lines: each line is one, unless a backslash at its end or a line of three quotation marks says that it goes on.

const fence = '"""';

/** Puts lines together. */
export class MessageLines {
  #lines: string[] = [];
  #isFenced = false;

  /** Whether a message has begun that has not ended. */
  get isOpen(): boolean {
    return this.#isFenced || this.#lines.length > 0;
  }

  /** Takes a line. @returns the message that it ends; undefined where it goes on, or there is nothing to say */
  push(line: string): string | undefined {
    if (line.trim() === fence && (this.#isFenced || this.#lines.length === 0)) {
      this.#isFenced = !this.#isFenced;
      return this.#isFenced ? undefined : this.#end();
    }
    const goesOn = !this.#isFenced && line.endsWith("\\");
    this.#lines.push(goesOn ? line.slice(0, -1) : line);
    return this.#isFenced || goesOn ? undefined : this.#end();
  }

  /** Forgets what was begun. */
  drop(): void {
    [this.#lines, this.#isFenced] = [[], false];
  }

  #end(): string | undefined {
    const message = this.#lines.join("\n");
    this.drop();
    return message.trim() === "" ? undefined : message;
  }
}
