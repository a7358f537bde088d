import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '../..')
const FIXTURE = join(ROOT, 'test/fixtures/private/leaks.ts')

/** Lines (from 1) of the fixture that the compiler refuses under the project's own settings. */
function refusedLines (): number[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as { config: unknown }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
  const program = ts.createProgram([FIXTURE], options)
  const source = program.getSourceFile(FIXTURE)!
  return program.getSemanticDiagnostics(source).map(({ start }) => source.getLineAndCharacterOfPosition(start!).line + 1)
}

describe('private types', () => {
  it('do not compile on any way out', function () {
    this.timeout(120_000)
    const leaks = readFileSync(FIXTURE, 'utf8').split('\n').flatMap((line, i) => line.endsWith('// leak') ? [i + 1] : [])
    expect(leaks).to.have.length(19)
    expect([...new Set(refusedLines())]).to.deep.equal(leaks)
  })
})
