/** Figures of one scenario, one for each series. */
export interface Row {
  readonly name: string
  readonly group: string
  readonly figures: readonly number[]
}

const INKS = ['#2f7fd6', '#e07b1f', '#7a7f87', '#b3a13a', '#c2528b']
const LEFT = 290
const WIDTH = 900
const STEP = 22
const TOP = 64

/** Dots on a logarithmic scale, a row for each scenario; readable on light and on dark. */
export function plot(title: string, series: readonly string[], rows: readonly Row[]): string {
  const all = rows.flatMap(({ figures }) => figures)
  const low = Math.log10(Math.min(...all)) - 0.05
  const high = Math.log10(Math.max(...all)) + 0.05
  const x = (ms: number) => (LEFT + ((Math.log10(ms) - low) / (high - low)) * (WIDTH - LEFT - 20)).toFixed(1)
  const bottom = TOP + rows.length * STEP
  const marks = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000].filter(ms => Math.log10(ms) > low && Math.log10(ms) < high)
  const grid = marks.map(ms => `<line class="g" x1="${x(ms)}" y1="${TOP - 6}" x2="${x(ms)}" y2="${bottom}"/><text class="t" x="${x(ms)}" y="${bottom + 16}" text-anchor="middle">${ms}</text>`)
  const legend = series.map((name, at) => `<circle cx="${20 + at * 165}" cy="38" r="5" fill="${INKS[at]}"/><text class="t" x="${30 + at * 165}" y="42">${name}</text>`)
  const lines = rows.map(({ name, group, figures }, at) => {
    const y = TOP + at * STEP + 10
    const dots = figures.map((ms, of) => `<circle cx="${x(ms)}" cy="${y}" r="${of === 0 ? 6 : 4.5}" fill="${INKS[of]}"${of === 0 ? '' : ' fill-opacity=".8"'}/>`).reverse()
    return `<text class="t" x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${group}: ${name}</text><line class="g" x1="${LEFT}" y1="${y}" x2="${WIDTH - 20}" y2="${y}"/>${dots.join('')}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 28}" role="img" aria-label="${title}">
<style>.t{font:12px system-ui,sans-serif;fill:#57606a}.h{font-weight:600;font-size:14px}.g{stroke:#8b949e;stroke-opacity:.35}@media (prefers-color-scheme:dark){.t{fill:#b6bfc9}}</style>
<text class="t h" x="14" y="20">${title}</text>
${[...legend, ...grid, ...lines].join('\n')}
</svg>
`
}
