// Settings, `key=value`: one place of a recipe, by its dotted path, said anew.
import { check, UsageError } from "../base/index.ts";
import { yamlValue } from "../schema/index.ts";

/** The value with every setting in its place; it is not checked here what the places are. Values are written as in YAML. @throws UsageError for what is no setting */
export function applySettings(value: unknown, settings: readonly string[]): unknown {
  return settings.reduce((whole, setting) => {
    const [key, text] = splitSetting(setting);
    return setAt(whole, key.split("."), readValue(setting, text), key);
  }, value);
}

/** The dotted key of a setting. */
export function settingKey(setting: string): string {
  return splitSetting(setting)[0];
}

function splitSetting(setting: string): [key: string, text: string] {
  const at = setting.indexOf("=");
  if (at <= 0) throw new UsageError("train", `"${setting}" is no setting: write key=value, such as learningRate=3e-4`);
  return [setting.slice(0, at).trim(), setting.slice(at + 1)];
}

function readValue(setting: string, text: string): unknown {
  try {
    return yamlValue(text);
  } catch (error) {
    throw new UsageError("train", `setting "${setting}": ${(error as Error).message}: write the value as in YAML`, {
      cause: error,
    });
  }
}

function setAt(whole: unknown, path: readonly string[], value: unknown, key: string): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const object = whole ?? {};
  check(
    typeof object === "object" && !Array.isArray(object),
    "train",
    () => `setting ${key}: ${first} would stand in ${JSON.stringify(whole)}, which has no keys: correct the path`,
  );
  return { ...object, [first]: setAt((object as Record<string, unknown>)[first], rest, value, key) };
}
