import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect } from 'chai'
import { anchorsOf, documents, filesBelow, linksOf, ROOT } from './markdown.ts'

// The pages of the root are cited by their names, those of docs by their paths.
const CITED = /\b(?:docs\/[\w./-]*\w|(?:README|ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md)(?:#[\w-]+)?/g

/** What is wrong with `target` (path#anchor, from the root), if anything. */
function faultOf (target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  if (!existsSync(join(ROOT, path))) return `${path} does not exist`
  if (anchor == null || !path.endsWith('.md')) return undefined
  return anchorsOf(path).has(anchor) ? undefined : `${path} has no heading #${anchor}`
}

function faultsOf (file: string, targets: readonly string[]): string[] {
  return targets.flatMap((target) => {
    const fault = faultOf(target)
    return fault == null ? [] : [`${file}: ${fault}`]
  })
}

describe('what documents and comments cite', () => {
  it('is known by the anchors that GitHub gives', () => {
    expect(faultOf('docs/spec/sam.md#image-sides')).to.equal(undefined)
    expect(faultOf('docs/spec/sam.md#no-such-heading')).to.equal('docs/spec/sam.md has no heading #no-such-heading')
    expect(faultOf('docs/no-such-page.md')).to.equal('docs/no-such-page.md does not exist')
  })

  for (const file of documents()) {
    it(`exists: ${file}`, () => {
      const targets = linksOf(file).filter((href) => !/^[a-z]+:/.test(href)).map((href) =>
        href.startsWith('#') ? file + href : normalize(join(dirname(file), decodeURI(href)))
      )
      const named = readFileSync(join(ROOT, file), 'utf8').match(CITED) ?? []
      expect(faultsOf(file, [...targets, ...named.filter((each) => !targets.some((target) => target.endsWith(each)))])).to.deep.equal([])
    })
  }

  for (const folder of ['src', 'scripts', 'bench', 'test', 'examples']) {
    it(`exists: comments and messages of ${folder}`, () => {
      const files = filesBelow(folder, /\.(ts|js|cjs|py|wat|proto)$/).filter((file) => !file.endsWith('documents/links.spec.ts'))
      expect(files).to.have.length.above(1)
      expect(files.flatMap((file) => faultsOf(file, readFileSync(join(ROOT, file), 'utf8').match(CITED) ?? []))).to.deep.equal([])
    })
  }
})
