// Formats of strings as patterns: each is a part of what its specification allows, and so whatever fits a pattern is valid.
import { type Language, patternLanguage } from "../language.ts";

const date = String.raw`(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)`;
const zone = String.raw`(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;
const time = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?${zone}`;
const octet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const group = "[0-9a-fA-F]{1,4}";
/** Two groups or an IPv4 address. */
const last = `(?:${group}:${group}|${ipv4})`;
/** The rows of IPv6address in RFC 3986, appendix A. */
const ipv6 = `(?:${[
  `(?:${group}:){6}${last}`,
  `::(?:${group}:){5}${last}`,
  `(?:${group})?::(?:${group}:){4}${last}`,
  ...[1, 2, 3, 4].map((n) => `(?:(?:${group}:){0,${n}}${group})?::(?:${group}:){${4 - n}}${last}`),
  `(?:(?:${group}:){0,5}${group})?::${group}`,
  `(?:(?:${group}:){0,6}${group})?::`,
].join("|")})`;
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
/** Labels whose third and fourth characters are no hyphens, which stand for other scripts, and are checked by more than their letters. */
const plainLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9]|-[a-zA-Z0-9]){0,30}";
const hostname = `${plainLabel}(?:\\.${plainLabel}){0,3}`;
const atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
const email = `${atom}(?:\\.${atom}){0,2}@${label}(?:\\.${label}){1,3}`;
const percent = "%[0-9a-fA-F]{2}";
/** pchar of RFC 3986. */
const pathCharacter = `(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|${percent})`;
const authority = `(?:(?:[a-zA-Z0-9._~!$&'()*+,;=:-]|${percent})+@)?(?:[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)*|\\[${ipv6}\\])(?::\\d{1,5})?`;
const path = `(?:/${pathCharacter}*)*`;
const rest = `(?:\\?(?:${pathCharacter}|[/?])*)?(?:#(?:${pathCharacter}|[/?])*)?`;
const uri = `[a-zA-Z][a-zA-Z0-9+.-]*:(?://${authority}${path}|/(?:${pathCharacter}+${path})?|${pathCharacter}+${path})${rest}`;
/** Relative references of RFC 3986, section 4.2; the first part of a path has no colon, as it would be a scheme. */
const relative = `(?://${authority}${path}|/(?:${pathCharacter}+${path})?|(?:[a-zA-Z0-9._~!$&'()*+,;=@-]|${percent})+${path})?${rest}`;
const pointer = "(?:/(?:[^~/]|~[01])*)*";
const uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const clock = String.raw`T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`;
const days = String.raw`(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)`;

const patterns = {
  /** RFC 3339, full-date. */
  date,
  /** RFC 3339, full-time, without leap seconds. */
  time,
  /** RFC 3339, section 5.6. */
  "date-time": `${date}T${time}`,
  /** RFC 3339, appendix A. */
  duration: `P(?:\\d+W|${clock}|${days}(?:${clock})?)`,
  /** RFC 4122. */
  uuid,
  /** RFC 5321, Dot-string and Domain. */
  email,
  /** RFC 5321, of which this is the part in ASCII. */
  "idn-email": email,
  /** RFC 1123. */
  hostname,
  /** RFC 5890, of which this is the part in ASCII. */
  "idn-hostname": hostname,
  /** RFC 2673, section 3.2. */
  ipv4,
  /** RFC 4291, section 2.2. */
  ipv6,
  /** RFC 3986. */
  uri,
  "uri-reference": `(?:${uri}|${relative})`,
  /** RFC 3987, of which this is the part in ASCII. */
  iri: uri,
  "iri-reference": `(?:${uri}|${relative})`,
  /** RFC 6901. */
  "json-pointer": pointer,
  "relative-json-pointer": `(?:0|[1-9]\\d*)(?:#|${pointer})`,
} as const;

/** Formats that are supported. */
export const formatNames: readonly string[] = Object.keys(patterns);

const languages = new Map<string, Language>();

/** The strings of a format that are written; undefined where the format is not supported. */
export function formatLanguage(name: string): Language | undefined {
  if (!Object.hasOwn(patterns, name)) return undefined;
  const pattern = patterns[name as keyof typeof patterns];
  const known = languages.get(pattern) ?? patternLanguage(`^(?:${pattern})$`);
  languages.set(pattern, known);
  return known;
}
