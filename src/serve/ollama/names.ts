// Names of models as Ollama has them: with a tag behind a colon, which is :latest where there is none.

const latest = /:latest$/;

/** A model's name without the tag that says nothing. */
export function nameWithoutTag(name: string): string {
  return name.replace(latest, "");
}

/** A model's name as clients list it. */
export function nameWithTag(name: string): string {
  return name.includes(":") ? name : `${name}:latest`;
}
