import type { Demo } from './demos.js'

/** The page that lists the patterns and runs them. */
export function page(demos: readonly Demo[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Durable Object patterns</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
  section { margin: 1.5rem 0; padding-top: 1rem; border-top: 1px solid #8886 }
  h2 { margin: 0; font-size: 1.1rem }
  p { margin: .25rem 0 .5rem }
  output { display: block; white-space: pre-wrap; font: 13px/1.5 ui-monospace, monospace }
</style>
<h1>Durable Object patterns</h1>
<p>Each runs in a new Durable Object. The code of each is one file in <code>src/patterns</code>.</p>
<button id="all">Run all</button>
${demos.map(section).join('')}
<script type="module">
  async function run(section) {
    const output = section.querySelector('output')
    output.textContent = 'Running …'
    try {
      const response = await fetch('/run/' + section.id, { method: 'POST' })
      if (!response.ok) throw new Error(await response.text())
      const steps = await response.json()
      output.textContent = steps.map(line).join('\\n')
    } catch (error) {
      output.textContent = 'Failed: ' + error.message
    }
  }
  function line({ did, got, expected }) {
    const [result, wanted] = [got, expected].map((value) => JSON.stringify(value))
    return (result === wanted ? '✓ ' : '✗ ') + did + (result === undefined ? '' : ' → ' + result)
      + (result === wanted ? '' : ', not ' + wanted)
  }
  const sections = [...document.querySelectorAll('section')]
  for (const section of sections) {
    section.querySelector('button').onclick = () => run(section)
  }
  document.querySelector('#all').onclick = () => Promise.all(sections.map(run))
</script>
`
}

function section({ name, title, summary }: Demo): string {
  return `
<section id="${name}">
  <h2>${title}</h2>
  <p>${summary}</p>
  <p><button>Run</button> <code>src/patterns/${name}.ts</code></p>
  <output></output>
</section>`
}
