import { describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'

const fence = '```'

describe('codeBlocks', () => {
  it('should find each block with its line, its flags and the code hidden around it', () => {
    const text = `# Title

${fence}sh
npm install
${fence}

<!-- before
const a = 1
-->

${fence}ts compile-only
const b = a
const c = b
${fence}

<!-- after
equal(c, 1)
-->

${fence}
no language
${fence}
`
    expect(codeBlocks('README.md', text)).toEqual([
      {
        document: 'README.md',
        line: 4,
        language: 'sh',
        flags: [],
        code: 'npm install\n',
        before: '',
        after: '',
      },
      {
        document: 'README.md',
        line: 12,
        language: 'ts',
        flags: ['compile-only'],
        code: 'const b = a\nconst c = b\n',
        before: 'const a = 1\n',
        after: 'equal(c, 1)\n',
      },
    ])
  })
})
