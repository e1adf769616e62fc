import type { Measurement, Ratio } from './measurement.ts'

const WIDTH = 820
const LABEL = 230
const BAR_SPACE = WIDTH - LABEL - 70
const ROW = 18
const HEADING = 34
const TOP = 64

/** The other variants are grey. */
const COLORS = new Map([
  ['builder', '#2563eb'],
  ['sync', '#3b82f6'],
  ['prepared', '#60a5fa'],
])

/** The medians as bars, a group for each workload, each group on a scale of its own. */
export function drawChart(subtitle: string, measurements: readonly Measurement[]): string {
  const parts: string[] = []
  let y = TOP
  for (const { title, ratios } of measurements) {
    const longest = Math.max(...ratios.map(({ median }) => median))
    parts.push(text(16, y + 22, title, 'font-weight="600"'))
    y += HEADING
    for (const ratio of ratios) {
      parts.push(drawRow(ratio, y, longest))
      y += ROW
    }
    y += 8
  }
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 16}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${y + 16}" fill="#ffffff"/>`,
    text(
      16,
      28,
      'Time, as a multiple of raw ctx.storage.sql.exec(): less is better',
      'font-size="15"',
    ),
    text(16, 48, subtitle, 'fill="#6b7280" font-size="11"'),
    ...parts,
    '</svg>',
  ].join('\n')}\n`
}

function drawRow({ variant, median }: Ratio, y: number, longest: number): string {
  const width = Math.max(1, (median / longest) * BAR_SPACE)
  return [
    text(LABEL - 8, y + 13, variant, 'text-anchor="end"'),
    `<rect x="${LABEL}" y="${y + 3}" width="${width.toFixed(1)}" height="12" fill="${COLORS.get(variant) ?? '#9ca3af'}"/>`,
    text(LABEL + width + 6, y + 13, median.toFixed(2), ''),
  ].join('\n')
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`
}
