/** [probability, quantile], both rising. */
export type Quantiles = readonly (readonly [probability: number, quantile: number])[];

/*
 * Quantiles over the 19,337 accounts that a large perpetual venue deleveraged automatically on 2025-10-10.
 * Account value in units of the settlement token; leverage = notional of all positions / account value.
 */
export const accountValueQuantiles: Quantiles = [
  [0.05, 12.482581],
  [0.1, 39.339972],
  [0.25, 279.362534],
  [0.5, 940.731712],
  [0.75, 6_035.571897],
  [0.9, 43_654.414182],
  [0.95, 178_321.416848],
  [0.99, 1_663_904.18133],
];

export const leverageQuantiles: Quantiles = [
  [0.05, 0.005913645530082055],
  [0.1, 0.05303303229117842],
  [0.25, 0.16144513307420663],
  [0.5, 0.434218362347269],
  [0.75, 0.9888887541284208],
  [0.9, 3.2353450136097606],
  [0.95, 6.49443878058484],
  [0.99, 134.15873294114814],
];

/** The quantile at a probability: its logarithm is linear between the given points, and stays at the outer ones beyond them. */
export function quantileAt(quantiles: Quantiles, probability: number): number {
  let below = quantiles[0];
  if (below === undefined) throw new RangeError("a distribution needs at least one quantile");
  for (const above of quantiles) {
    if (probability <= above[0]) return interpolate(below, above, probability);
    below = above;
  }
  return below[1];
}

function interpolate(below: Quantiles[number], above: Quantiles[number], probability: number): number {
  const [lowProbability, low] = below;
  const [highProbability, high] = above;
  if (probability <= lowProbability) return low;
  if (probability === highProbability) return high;
  const part = (probability - lowProbability) / (highProbability - lowProbability);
  return low * (high / low) ** part;
}
