import { expect } from 'chai'
import { Notices } from '../../../src/rounds/notices.ts'
import { sayUnused } from '../../../src/rounds/unused-cores.ts'

describe('cores that are not used', () => {
  it('are said once, and stand until they are used again', () => {
    const said: string[] = []
    const log = (line: unknown): void => { said.push(String(line)) }
    const notices = new Notices({ warn: log, info: log } as never)
    const standing = (): string[] => notices.conditions.map(({ key, kind }) => `${key} ${kind}`)
    sayUnused(notices, ['x'])
    sayUnused(notices, ['x', 'y'])
    expect(standing()).to.deep.equal(['core x core', 'core y core'])
    // Of a phase that uses none at all nothing is known.
    sayUnused(notices, undefined)
    expect(standing()).to.have.length(2)
    sayUnused(notices, ['y'])
    expect(standing()).to.deep.equal(['core y core'])
    expect(said).to.deep.equal([
      'what site x shows as its core-adapter is far off from what the others show: it is not used',
      'what site y shows as its core-adapter is far off from what the others show: it is not used',
      'what site x shows as its core-adapter is like that of the others again, or gone'
    ])
  })
})
