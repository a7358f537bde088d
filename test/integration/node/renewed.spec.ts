import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { fetchControl } from '../../../src/node/control/client.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { issueCertificate } from '../../../src/federation/membership/certificate.ts'
import { readCredential } from '../../../src/federation/membership/files.ts'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { writeCheckedJson } from '../../../src/home/checksum.ts'
import { Sites } from './sites.ts'

const DAY_MS = 86_400_000

describe('a running site whose certificate ends soon', function () {
  this.timeout(900_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function ledgerOf (name: string): Promise<string> {
    const { audit } = sites.paths(name)
    return (await Promise.all((await readdir(audit)).map(async (file) => await readFile(join(audit, file), 'utf8')))).join('')
  }

  it('has the next one from a founder, in its home and ledger, and shows it to everybody without a new connection', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 400, coolDownSeconds: 1 })
    const { id } = await readFederation(sites.paths('b').federation)
    const peerId = await readPeerId(sites.paths('b').identity)
    const [from, to] = [-340, 20].map((days) => new Date(Date.now() + days * DAY_MS).toISOString()) as [string, string]
    const body = { federation: id, peerId, name: 'b', role: 'member' as const, from, to }
    const certificate = await issueCertificate(body, await loadIdentity(sites.paths('a').identity))
    await writeCheckedJson(sites.paths('b').certificate, { certificate, handovers: [] })

    const daemons = [sites.daemon('a', { manners: { delayMs: 200 } })]
    const runs = [daemons[0]!.run()]
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    for (const name of ['b', 'c']) {
      const daemon = sites.daemon(name, { manners: { delayMs: 200 }, bootstrap: addresses })
      daemons.push(daemon)
      runs.push(daemon.run())
    }
    // As long again, from 45 days before the end of the old one on.
    const renewed = new Date(Date.parse(to) + (360 - 45) * DAY_MS).toISOString()
    const seen = async (): Promise<string | undefined> => {
      const members = await fetchControl<MemberView[]>(sites.paths('c').home, '/members').catch(() => [])
      return members.find((each) => each.peerId === peerId)?.validTo
    }
    while (await seen() !== renewed) await sleep(200)
    expect((await readCredential(sites.paths('b').certificate)).certificate?.to).to.equal(renewed)
    const { refusedCertificates } = await sites.statusOf('c', ({ exchanges }) => exchanges > 0)
    expect(refusedCertificates).to.equal(0)
    for (const each of daemons) each.requestStop()
    await Promise.all(runs)
    expect(await ledgerOf('b')).to.include('"event":"renewed"')
    expect(await ledgerOf('a')).to.include('"event":"renewal signed"')
  })
})
