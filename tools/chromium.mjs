// Where chromium is on this machine; undefined where it is not, which `apt-get install chromium` changes on Debian.
import { existsSync } from "node:fs";

/** The path of its program. */
export const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
