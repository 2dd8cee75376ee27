// What a search for texts leaves out, counted by reason, so that commands can say it.

const reasons = {
  hidden: ["hidden file or folder", "hidden files and folders"],
  made: ["run or prepared data", "runs and folders of prepared data"],
  binary: ["binary file", "binary files"],
  special: ["pipe or device", "pipes and devices"],
  broken: ["link to nothing", "links to nothing"],
  around: ["link to a folder around the one that is read", "links to folders around the one that is read"],
  repeated: ["further name of what is read already", "further names of what is read already"],
} as const;

/** Why a file was left out. */
export type Reason = keyof typeof reasons;

/** Counts the files that a search left out, by reason, and keeps the first name of each. */
export class PassedOver {
  readonly #found = new Map<Reason, { count: number; first: string }>();

  add(reason: Reason, path: string): void {
    const found = this.#found.get(reason);
    if (found === undefined) this.#found.set(reason, { count: 1, first: path });
    else found.count++;
  }

  count(reason: Reason): number {
    return this.#found.get(reason)?.count ?? 0;
  }

  /** "2 hidden files and folders (texts/.git, …), 1 binary file (texts/a.png)"; empty when nothing was left out. */
  get text(): string {
    const part = ([reason, [one, many]]: [string, readonly [string, string]]) => {
      const found = this.#found.get(reason as Reason);
      if (found === undefined) return [];
      return [found.count === 1 ? `1 ${one} (${found.first})` : `${found.count} ${many} (${found.first}, …)`];
    };
    return Object.entries(reasons)
      .flatMap(part as (entry: [string, readonly [string, string]]) => string[])
      .join(", ");
  }

  inBrackets(): string {
    return this.text === "" ? "" : ` (passed over: ${this.text})`;
  }
}
