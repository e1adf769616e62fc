import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { executablePath, launchBrowser } from './browser.ts'
import { type DevServer, startWranglerDev } from './wrangler-dev.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const names = [
  'schema-migration',
  'cache',
  'rate-limiter',
  'alarm-batch',
  'counter',
  'parent-child',
  'write-coalescing',
  'clean-up',
]

if (executablePath === undefined) {
  console.warn(
    'No Chromium is installed here, so the page of examples/patterns is not tried in one.',
  )
}

describe('examples/patterns', () => {
  const state = mkdtempSync(`${tmpdir()}/patterns-`)
  let server: DevServer

  beforeAll(async () => {
    server = await startWranglerDev(`${root}examples/patterns`, '--persist-to', state)
  })

  afterAll(async () => {
    await server.stop()
    rmSync(state, { recursive: true, force: true })
  })

  it('should run every pattern over HTTP', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      `${root}scripts/smoke.ts`,
      server.url,
    ])
    expect(stdout).toBe(`${names.map((name) => `ok     ${name}\n`).join('')}8 patterns, 0 failed\n`)
  })

  it('should answer for what it does not have', async () => {
    const missing = await fetch(`${server.url}/run/nothing`, { method: 'POST' })
    expect([missing.status, await missing.text()]).toEqual([404, 'There is no such pattern.\n'])
    const get = await fetch(`${server.url}/run/counter`)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  })

  // It takes a browser, which npm does not install.
  it.skipIf(executablePath === undefined)(
    'should list and run every pattern in a browser',
    async () => {
      const browser = await launchBrowser()
      try {
        const page = await browser.newPage()
        const faults: string[] = []
        page.on('pageerror', (error) => faults.push(error.message))
        page.on('console', (message) => {
          if (message.type() === 'error') {
            faults.push(message.text())
          }
        })
        await page.goto(server.url)
        expect(await page.title()).toBe('Durable Object patterns')
        expect(
          await page.locator('section').evaluateAll((sections) => sections.map(({ id }) => id)),
        ).toEqual(names)

        await page.locator('#counter button').click()
        await page.locator('#counter output:has-text("✓")').waitFor()
        expect(await page.locator('#counter output').innerText()).toBe(
          `✓ read before the first increment → 0
✓ increment 20 times at once → 20
✓ read → 20`,
        )

        await page.getByRole('button', { name: 'Run all' }).click()
        await page.waitForFunction(
          "[...document.querySelectorAll('output')].every((output) => /^[✓✗F]/.test(output.textContent))",
        )
        const outputs = await page.locator('output').allInnerTexts()
        expect(outputs.filter((output) => /✗|Failed/.test(output))).toEqual([])
        expect(faults).toEqual([])
      } finally {
        await browser.close()
      }
    },
  )
})
