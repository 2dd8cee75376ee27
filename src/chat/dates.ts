// Python's strftime in English, as transformers gives templates the day by `strftime_now`.
import { TemplateError } from "./values.ts";

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const fields: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()).padStart(4, "0"),
  y: (date) => two(date.getFullYear() % 100),
  m: (date) => two(date.getMonth() + 1),
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, " "),
  B: (date) => months[date.getMonth()]!,
  b: (date) => months[date.getMonth()]!.slice(0, 3),
  A: (date) => days[date.getDay()]!,
  a: (date) => days[date.getDay()]!.slice(0, 3),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  F: (date) => format(date, "%Y-%m-%d"),
  T: (date) => format(date, "%H:%M:%S"),
  "-d": (date) => String(date.getDate()),
  "-m": (date) => String(date.getMonth() + 1),
  "%": () => "%",
};

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** The local time by a pattern. @throws TemplateError for a field that is not supported. */
export function format(date: Date, pattern: string): string {
  return pattern.replace(/%(-?.|$)/gsu, (whole, field: string) => {
    if (!Object.hasOwn(fields, field)) throw new TemplateError(`strftime_now: ${whole} is not supported`);
    return fields[field]!(date);
  });
}
