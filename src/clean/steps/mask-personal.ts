// E-mail addresses, public IP addresses, telephone numbers and keys, replaced by what stands for them. Addresses are found from their "@" on, so that time is in
// proportion to the text.
import { z } from "zod";
import { stepRow } from "../step.ts";

const replacement = (usual: string, what: string) =>
  z.string().nullable().default(usual).describe(`what stands for ${what}; null leaves them`);

const parameters = z.strictObject({
  email: replacement("email@example.com", "e-mail addresses"),
  ip: replacement("192.0.2.1", "public IPv4 addresses; those of private networks stay"),
  phone: replacement("555-0100", "telephone numbers of ten digits, with a country code or without"),
  key: replacement("[key]", "private keys, and tokens of services that are known by their beginning"),
});

type Parameters = z.output<typeof parameters>;

/** The masking of what tells persons and secrets. */
export const maskPersonal = stepRow({
  name: "maskPersonal",
  summary: "replaces e-mail addresses, IP addresses, telephone numbers and keys",
  source: "e-mail and IP as datatrove 0.10.1, pii.py, has them; telephone numbers as Dolma (Soldaini et al. 2024, arXiv 2402.00159)",
  deeds: ["rewrites"],
  reasons: {},
  parameters,
  open: (options) => ({ apply: (document) => document.withText(masked(document.text, options)) }),
});

const ip = /(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d\d?)/g;
const phone = /(?<![\d-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])/g;
const keys =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w+/=\s-]{0,20000}?-----END [A-Z ]{0,30}PRIVATE KEY-----|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,80}\b|\bsk-[A-Za-z0-9_-]{20,200}\b|\bxox[abprs]-[A-Za-z0-9-]{10,200}\b|\bhf_[A-Za-z0-9]{30,60}\b/g;

function masked(text: string, options: Parameters): string {
  let left = text;
  if (options.key !== null) left = replaced(left, keys, () => options.key);
  if (options.email !== null && left.includes("@")) left = withoutEmails(left, options.email);
  if (options.ip !== null) left = replaced(left, ip, (found) => (isPublic(found) ? options.ip : null));
  if (options.phone !== null) left = replaced(left, phone, () => options.phone);
  return left;
}

/** @param by what takes the place of a match; null leaves it */
function replaced(text: string, pattern: RegExp, by: (found: string) => string | null): string {
  return text.replace(pattern, (found) => by(found) ?? found);
}

const local = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/;
const domain = /[A-Za-z0-9.-]/;
/** RFC 5321, section 4.5.3.1: the most characters in front of the "@" and behind it. */
const [longestLocal, longestDomain] = [64, 255];

function withoutEmails(text: string, email: string): string {
  let [left, from] = ["", 0];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    let [start, end] = [at, at + 1];
    while (start > Math.max(from, at - longestLocal) && local.test(text[start - 1]!) && text.slice(start - 1, start + 1) !== "..") start--;
    while (start < at && !/[A-Za-z0-9_]/.test(text[start]!)) start++; // punctuation in front is no part of it
    while (end < Math.min(text.length, at + 1 + longestDomain) && domain.test(text[end]!)) end++;
    while (end > at + 1 && !/[A-Za-z0-9]/.test(text[end - 1]!)) end--;
    const isAddress =
      start < at &&
      text[at - 1] !== "." &&
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]*[A-Za-z0-9]$/.test(text.slice(at + 1, end));
    if (!isAddress) continue;
    left += text.slice(from, start) + email;
    from = end;
  }
  return left + text.slice(from);
}

/** Whether an IPv4 address is of the public internet, by the blocks of RFC 6890; Python's ipaddress counts multicast as public. */
function isPublic(address: string): boolean {
  const [a = 0, b = 0, c = 0] = address.split(".").map(Number);
  if (address.split(".").some((part) => part.length > 1 && part.startsWith("0"))) return false; // no address, as Python's ipaddress has it
  const isSpecial =
    [0, 10, 127].includes(a) ||
    a >= 240 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113);
  return !isSpecial;
}
