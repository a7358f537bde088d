import { readFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { expect } from 'chai'
import { describeBytes, describePhase } from '../../../scripts/testnet/display/describe.ts'
import { drawTable } from '../../../scripts/testnet/display/live-table.ts'
import { PlainLines } from '../../../scripts/testnet/display/plain-lines.ts'
import type { HospitalProcess } from '../../../scripts/testnet/hospitals/hospital-process.ts'
import { Journal } from '../../../scripts/testnet/journal.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'

function site (name: string, status?: Partial<SiteStatus>, change: object = {}): HospitalProcess {
  const full = status == null
    ? undefined
    : { peerId: `id-${name}`, round: 0, rounds: 3, phase: 'starting', trainer: 'ready', warnings: [], ...status }
  return {
    hospital: { name },
    state: status == null ? 'starting' : 'running',
    status: full,
    isOver: false,
    exitCode: null,
    signal: null,
    ...change
  } as unknown as HospitalProcess
}

function shown (...steps: HospitalProcess[][]): string[] {
  const lines: string[] = []
  const display = new PlainLines((line) => lines.push(line), () => '00:42')
  for (const step of steps) display.update(step)
  return lines
}

describe('plain lines', () => {
  it('say each change once', () => {
    const working = site('b', { round: 3, phase: 'G', progress: { step: 1, steps: 8 } })
    expect(shown([site('b')], [site('b', { trainer: 'loading' })], [working], [working])).to.deep.equal([
      '00:42 b starting', '00:42 b loading weights', '00:42 b round 3 phase G'
    ])
  })

  it('show that a long phase moves, at most four times', () => {
    const steps = Array.from({ length: 41 }, (_, step) => [site('b', { round: 1, phase: 'L', progress: { step, steps: 40 } })])
    expect(shown(...steps)).to.deep.equal([
      '00:42 b round 1 phase L',
      '00:42 b round 1 phase L 10/40',
      '00:42 b round 1 phase L 20/40',
      '00:42 b round 1 phase L 30/40'
    ])
  })

  it('say once that a hospital is done, whatever its last fit is at', () => {
    const steps = [0, 4, 8, 12].map((step) => [site('b', { round: 3, phase: 'done', progress: { step, steps: 16 } })])
    expect(shown(...steps)).to.deep.equal(['00:42 b round 3 done'])
  })

  it('name the partner, the Dice and new warnings', () => {
    const dice = { frozen: 0.5, global: 0.8, personal: 0.85 }
    const lines = shown([
      site('a', { round: 1, phase: 'L' }),
      site('b', { round: 1, phase: 'exchange', partner: 'id-a', dice, warnings: ['one'] })
    ], [site('a', { round: 1, phase: 'L' }), site('b', { round: 1, phase: 'exchange', partner: 'id-a', dice, warnings: ['one', 'two'] })])
    expect(lines.slice(1)).to.deep.equal([
      '00:42 b says: one',
      '00:42 b Dice global 0.800, personal 0.850',
      '00:42 b round 1 exchange with a',
      '00:42 b says: two'
    ])
  })
})

describe('plain lines of a hospital that is behind', () => {
  it('say when it shortens its phases, not at every turn, and when it no longer does', () => {
    const at = (pace: number) => [site('b', { round: 3, phase: 'L', pace })]
    expect(shown(at(1), at(0.42), at(0.38), at(0.04), at(1)).slice(1)).to.deep.equal([
      "00:42 b trains 40 % of a round's steps to keep up",
      "00:42 b trains 10 % of a round's steps to keep up",
      '00:42 b trains whole rounds again'
    ])
  })

  it('say whom another waits for before it ends, by name', () => {
    const cooling = (waitsFor?: string[]) => [
      site('a', { round: 3, phase: 'cool-down', ...(waitsFor == null ? {} : { waitsFor }) }),
      site('b', { round: 2, phase: 'L' }),
      site('c', { round: 2, phase: 'L' })
    ]
    expect(shown(cooling(), cooling(['id-b', 'id-c']), cooling(['id-b', 'id-c']), cooling(['id-c']), cooling()).slice(3)).to.deep.equal([
      '00:42 a waits for b and c before it ends',
      '00:42 a waits for c before it ends'
    ])
  })

  it('call it progress that it caught up, in the very words of a daemon', async () => {
    const source = await readFile(new URL('../../../src/rounds/training-round.ts', import.meta.url), 'utf8')
    const words = /`(this site was in round.*?)` \+\n\s+`(.*?)`/.exec(source)?.slice(1).join('') ?? ''
    const values = ['1', 'more than 3 ', 'id-a', '5']
    const warning = words.replaceAll(/\$\{[^}]+\}/g, () => values.shift() ?? '?')
    const others = [warning, 'site id-a is odd', '/p2p/id-a does not answer']
    expect(shown([site('a', {}), site('b', { round: 7, phase: 'exchange', warnings: others })]).slice(1, 4)).to.deep.equal([
      '00:42 b caught up: this site was in round 1, more than 3 behind the others: it took the adapter of site a over, with what it had ' +
      'trained itself on top, and goes on in round 5',
      '00:42 b says: site a is odd',
      '00:42 b says: /p2p/id-a does not answer'
    ])
  })
})

describe('the live table', () => {
  const sites = [
    site('a', {
      round: 1,
      phase: 'G',
      progress: { step: 3, steps: 9 },
      partner: 'id-b',
      bytesSent: 2e6,
      bytesReceived: 3e6,
      dice: { frozen: 0.5, global: 0.8, personal: 0.85 },
      consensus: 0.0312
    }),
    site('b')
  ]

  it('has one line per hospital', () => {
    const lines = stripVTControlCharacters(drawTable(sites, 140)).split('\n')
    expect(lines).to.have.length(5)
    expect(lines[2]?.split('│').map((cell) => cell.trim())).to.deep.equal([
      '',
      'a',
      '1/3',
      'phase G 3/9',
      '…id-b',
      '0.800',
      '0.850',
      '0.0312',
      '2.0 MB',
      '3.0 MB',
      ''
    ])
  })

  it('says below who shortens its phases, and who waits for whom', () => {
    const all = [site('a', { phase: 'cool-down', waitsFor: ['id-b'] }), site('b', { phase: 'L', pace: 0.1 }), site('c', { pace: 1 })]
      .map((each) => ({ ...each, status: { bytesSent: 0, bytesReceived: 0, ...each.status } }) as unknown as HospitalProcess)
    expect(stripVTControlCharacters(drawTable(all, 140)).split('\n').slice(6)).to.deep.equal([
      'a waits for b before it ends',
      "b trains 10 % of a round's steps to keep up"
    ])
  })

  it('fits 80 columns', () => {
    const named = sites.map((each) => ({ ...each, hospital: { name: 'hospital-a' } }) as unknown as HospitalProcess)
    for (const line of stripVTControlCharacters(drawTable(named, 80)).split('\n')) expect(line.length).to.be.at.most(80)
  })
})

describe('descriptions', () => {
  it('tell how a hospital ended', () => {
    expect(describePhase(site('a', {}, { state: 'failed', exitCode: 1 }), true)).to.equal('failed (exit code 1)')
    expect(describePhase(site('a', {}, { state: 'failed', signal: 'SIGSEGV' }), true)).to.equal('failed (SIGSEGV)')
    expect(describePhase(site('a', {}, { state: 'killed' }), true)).to.equal('killed')
    expect(describePhase(site('a', { phase: 'G', progress: { step: 3, steps: 9 } }), true)).to.equal('phase G 3/9')
  })

  it('shorten bytes', () => {
    expect([999, 12_400, 3_440_000].map(describeBytes)).to.deep.equal(['1 kB', '12 kB', '3.4 MB'])
  })
})

describe('the journal', () => {
  it('sees who comes back and where it goes on', () => {
    const journal = new Journal()
    journal.strike({ kind: 'restart', site: 0, round: 2 }, site('a', { round: 2, phase: 'G' }))
    journal.record([site('a', { round: 2, phase: 'G' }, { state: 'starting' })])
    expect(journal.strikes[0]).not.to.have.property('peerIdAfter')
    journal.record([site('a', { round: 0, phase: 'starting', trainer: 'loading' })])
    journal.record([site('a', { round: 2, phase: 'L' })])
    journal.record([site('a', { round: 3, phase: 'G' })])
    expect(journal.strikes[0]).to.include({ peerId: 'id-a', peerIdAfter: 'id-a', round: 2, roundAfter: 2 })
  })
})
