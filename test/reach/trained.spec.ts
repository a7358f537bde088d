import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { Summary } from '../../src/node/summary.ts'
import { modelSection, trainingSection } from '../../src/site-model/fit-settings.ts'
import { has, OPEN } from './network.ts'
import { networks } from './networks.ts'
import { behindNginx } from './nginx.ts'

const ROUNDS = 2

describe('hospitals that train the bundled sample (network namespaces, nginx)', function () {
  this.timeout(900_000)
  const { create } = networks()

  it('one behind nginx as TLS reverse proxy, one that joins by one invitation and accepts nothing inbound', async function () {
    if (!has('nginx')) this.skip()
    const model = await modelSection('', 'sam-tiny')
    const network = await create(['a', 'b'], [], { rounds: ROUNDS, model, training: trainingSection(model, { rounds: ROUNDS, seed: 1 }) })
    const way = await behindNginx(network, 'a')
    network.start('a', way, 'samples/colin27/hospital-a')
    await network.name('b', { 'site.example': network.addressOf('a') })
    await network.closeInbound('b')
    await network.onlyTo('b', 443)
    await network.join('b', 'a', way.announce)
    network.start('b', OPEN, 'samples/colin27/hospital-b')
    await network.ended('a', 'b')
    for (const site of ['a', 'b']) {
      const summary = JSON.parse(await readFile(network.sites.paths(site).summary, 'utf8')) as Summary
      expect([summary.rounds, summary.inDoubt], site).to.deep.equal([ROUNDS, 0])
      expect(summary.exchanges, site).to.be.above(0)
      expect(summary.dice?.personal, site).to.be.above(0.5)
    }
  })
})
