#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(
    `Node.js ${process.versions.node} is too old for this program. Use Node.js 22.15 or later.`,
  )
  process.exitCode = 2
} else {
  await import('../dist/cli.js')
}
