import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { WARNING_KINDS, warningKind } from '../../../src/rounds/warning-kinds.ts'
import { filesBelow, ROOT } from '../documents/markdown.ts'

interface Call { readonly file: string, readonly key: string, readonly text: string }

/** Conditions that hold as long as the process, and why. */
const TO_THE_END: readonly (readonly [string, string])[] = [
  ['test faults', 'they are read at the start'],
  ['data ', 'what the data are like as they were loaded'],
  ['labels ', 'what was seen once stays, and the masks are read once'],
  ['skipped ', 'files that were left out as the data were loaded'],
  ['schema ', 'such a site is not asked again']
]

function callsOf (method: string): Call[] {
  return filesBelow('src', /\.ts$/).flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
    return [...source.matchAll(new RegExp(`otices\\.${method}\\(\\s*`, 'g'))].map(({ index, 0: found }): Call => {
      const text = source.slice(index + found.length, endOfCall(source, index + found.length))
      return { file, key: /^['`]([^'`$]*)/.exec(text)?.[1] ?? /^\w+/.exec(text)?.[0] ?? '', text }
    })
  })
}

function endOfCall (source: string, from: number): number {
  let depth = 1
  let at = from
  for (; depth > 0; at++) depth += source[at] === '(' ? 1 : source[at] === ')' ? -1 : 0
  return at
}

describe('every warning that status shows', () => {
  const warnings = callsOf('warn')
  const ends = [...callsOf('over'), ...callsOf('overAll')]

  it('is found in the code', () => {
    expect(warnings).to.have.length.above(20)
    expect(warnings.map(({ key }) => key)).to.include.members(['alone', 'bootstrap ', 'certificate ', 'members'])
  })

  for (const { file, key, text } of warnings) {
    it(`has an end: ${key} (${file})`, () => {
      const isOver = ends.some((each) => each.key === key || (key !== '' && each.key.startsWith(key)))
      const lasts = TO_THE_END.some(([each]) => each === key)
      expect(isOver || text.includes('forMs') || lasts, 'raise it with forMs, end it with over, or say why it holds as long as the process')
        .to.equal(true)
    })
  }

  // The keys of relays' and certificates' warnings are found by their beginning; peer-versions.ts and expiry-watch.ts pass theirs on.
  it('has a kind, and every kind a warning', () => {
    const keys = [...warnings.map(({ key }) => key), 'versions ', 'expiry']
    expect(keys.filter((key) => key !== 'key' && warningKind(key) == null)).to.deep.equal([])
    const kinds = new Set(keys.map(warningKind))
    expect(Object.keys(WARNING_KINDS).filter((kind) => !kinds.has(kind as never))).to.deep.equal([])
  })

  it('stands in the list of those to the end only where it is raised', () => {
    expect(TO_THE_END.filter(([each]) => !warnings.some(({ key }) => key === each))).to.deep.equal([])
  })
})
