/** The middle value; the mean of the two middle ones where there is no middle. */
export function median(values) {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Half the distance between the quartiles, as a share of the median: how far the rounds lie apart. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share => sorted[Math.round((sorted.length - 1) * share)]
  return (at(0.75) - at(0.25)) / 2 / Math.abs(median(values))
}
