// The key of a heat map's colours: a bar beside the frame, its ends and round numbers between them written on its right.
import type { Markish, RenderFunction } from "@observablehq/plot";
import { linearTicks, shortNumber } from "./round-numbers.ts";

/** Room that the bar and its numbers take in the right margin, in pixels. */
export const colourBarWidth = 84;

const bands = 64;
const gap = 18;
const thickness = 14;
const marks = 4;

/** A bar as high as the frame for colours of values from −most to most; `label` is written along it. */
export function colourBar(most: number, label: string): Markish {
  const render: RenderFunction = (_index, scales, _values, size, { document }) => {
    const draw = (name: string, attributes: Record<string, string | number>, text?: string) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
      if (text !== undefined) element.textContent = text;
      return element;
    };
    const left = size.width - size.marginRight + gap;
    const [top, bottom] = [size.marginTop, size.height - size.marginBottom];
    const yOf = (value: number) => bottom - ((value + most) / (2 * most)) * (bottom - top);
    const group = draw("g", { "aria-label": "colour bar", "text-anchor": "start" });
    const colour = scales.color as unknown as (value: number) => string;
    for (let i = 0; i < bands; i++) {
      const [low, high] = [i, i + 1].map((edge) => -most + (2 * most * edge) / bands) as [number, number];
      const [y, height] = [yOf(high), yOf(low) - yOf(high) + 0.5]; // half a pixel over the next one, so that no gaps show
      group.append(draw("rect", { x: left, y, width: thickness, height: i === 0 ? height - 0.5 : height, fill: colour((low + high) / 2) }));
    }
    for (const value of linearTicks(-most, most, marks)) {
      const y = yOf(value);
      group.append(draw("path", { d: `M${left + thickness},${y}h5`, stroke: "currentColor" }));
      group.append(draw("text", { x: left + thickness + 8, y, dy: "0.32em", fill: "currentColor" }, shortNumber(value)));
    }
    const [x, middle] = [left + colourBarWidth - gap - 8, (top + bottom) / 2];
    const turned = `translate(${x},${middle}) rotate(-90)`;
    group.append(draw("text", { transform: turned, "text-anchor": "middle", fill: "currentColor" }, label));
    return group as unknown as SVGElement;
  };
  return render;
}
