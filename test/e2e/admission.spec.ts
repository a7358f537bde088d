import { access, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sitePaths } from '../../src/node/paths.ts'
import { consilium, consiliumJson, plainLines } from './cli.ts'

describe('who is admitted by which command', function () {
  this.timeout(60_000)
  let folder: string
  let founder: string
  let names = 0

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    founder = join(folder, 'founder')
    await consiliumJson(['federation', 'create', '--home', founder, '--name', 'test'])
  })

  after(async () => { await rm(folder, { recursive: true }) })

  /** A site with a key and nothing else. */
  async function newSite (): Promise<{ home: string, peerId: string }> {
    return await consiliumJson(['init', '--home', join(folder, `site ${names++}`)])
  }

  async function invited (peerId: string, ...more: string[]): Promise<string> {
    return (await consiliumJson<{ invitation: string }>(['invite', peerId, '--home', founder, ...more])).invitation
  }

  /** The one sentence of a command that must fail. */
  async function refused (...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await consilium(args)
    expect([code === 0, stdout, plainLines(stderr).length], stderr).to.deep.equal([false, '', 1])
    return stderr.trim()
  }

  describe('join', () => {
    it('takes nobody else\'s invitation, at a founder neither', async () => {
      const invitation = await invited((await newSite()).peerId)
      expect(await refused('join', invitation, '--home', founder)).to.contain('the invitation is for another site')
      expect(await access(sitePaths(founder).certificate).then(() => 'there', () => 'missing')).to.equal('missing')
    })

    it('is refused where the site knows that it was revoked', async () => {
      const { home, peerId } = await newSite()
      const invitation = await invited(peerId)
      await consiliumJson(['join', invitation, '--home', home])
      await consiliumJson(['revoke', peerId, '--home', founder])
      await cp(sitePaths(founder).statements, sitePaths(home).statements)
      expect(await refused('join', invitation, '--home', home)).to.contain(`${peerId} was revoked, which is permanent`)
    })
  })
})
