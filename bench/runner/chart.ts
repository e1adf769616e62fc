import type { Measurement, Ratio } from './measurement.ts'

const WIDTH = 820
const MARGIN = 16
/** Left of the bars, for the variant's name. */
const LABEL = 176
/** Right of the longest bar, for its figure. */
const FIGURE = 44
const ROW = 18
const HEADING = 34
const TOP = 64

/** Of this library. The other variants are grey. */
const COLORS = new Map([
  ['builder', '#2563eb'],
  ['migrateToLatest', '#2563eb'],
  ['sync', '#3b82f6'],
  ['prepared', '#60a5fa'],
])

/**
 * The medians as bars, a group for each workload, each group on a scale of its own, in one column or
 * several.
 */
export function drawChart(
  subtitle: string,
  measurements: readonly Measurement[],
  { columns = 1 }: { readonly columns?: number } = {},
): string {
  const width = (WIDTH - MARGIN) / columns
  const parts: string[] = []
  let top = TOP
  for (let i = 0; i < measurements.length; i += columns) {
    const line = measurements.slice(i, i + columns)
    line.forEach((measurement, column) => {
      parts.push(drawGroup(measurement, MARGIN + column * width, top, width - MARGIN))
    })
    top += Math.max(...line.map(heightOf))
  }
  const height = top + 16
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(
      MARGIN,
      28,
      'Time, as a multiple of raw ctx.storage.sql.exec(): less is better, and blue is kysely-durable-sqlite',
      'font-size="15"',
    ),
    text(MARGIN, 48, subtitle, 'fill="#6b7280" font-size="11"'),
    ...parts,
    '</svg>',
  ].join('\n')}\n`
}

function heightOf({ ratios }: Measurement): number {
  return HEADING + ratios.length * ROW + 8
}

function drawGroup(
  { title, ratios }: Measurement,
  left: number,
  top: number,
  width: number,
): string {
  const longest = Math.max(...ratios.map(({ median }) => median))
  const scale = (width - LABEL - FIGURE) / longest
  return [
    text(left, top + 22, title, 'font-weight="600"'),
    ...ratios.map((ratio, i) => drawRow(ratio, left + LABEL, top + HEADING + i * ROW, scale)),
  ].join('\n')
}

function drawRow({ variant, median }: Ratio, left: number, y: number, scale: number): string {
  const width = Math.max(1, median * scale)
  return [
    text(left - 8, y + 13, variant, 'text-anchor="end"'),
    `<rect x="${left}" y="${y + 3}" width="${width.toFixed(1)}" height="12" fill="${COLORS.get(variant) ?? '#9ca3af'}"/>`,
    text(left + width + 6, y + 13, median.toFixed(2), ''),
  ].join('\n')
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`
}
