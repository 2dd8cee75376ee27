// What accelerator-hours come to: energy, carbon and money (LLaMA, section 6: Wh = hours · watts · PUE, t CO2eq = MWh · 0.385).

/** Power usage effectiveness: what the building takes for each watt of the boards. */
export const powerUsageEffectiveness = 1.1;
/** Tonnes of CO2 equivalent for a MWh: the US' average, which the paper uses for every model. */
export const tonnesPerMegawattHour = 0.385;

/** The energy in MWh. @param watts of one accelerator */
export function energyOf(hours: number, watts: number): number {
  return (hours * watts * powerUsageEffectiveness) / 1e6;
}

/** The carbon in tonnes of CO2 equivalent. */
export function carbonOf(megawattHours: number): number {
  return megawattHours * tonnesPerMegawattHour;
}

/** Hours of one accelerator. @param peak FLOP/s; @param utilisation 0 to 1 */
export function hoursFor(flops: number, peak: number, utilisation: number): number {
  return flops / (peak * utilisation) / 3600;
}

/**
 * Operations in so many hours.
 * @param peak FLOP/s
 * @param utilisation 0 to 1
 */
export function flopsIn(hours: number, peak: number, utilisation: number): number {
  return hours * 3600 * peak * utilisation;
}
