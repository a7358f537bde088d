import { access, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { MemberView } from '../../src/federation/membership/members-view.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { consilium, consiliumJson, plainLines } from './cli.ts'

const ADDRESS = '/ip4/127.0.0.1/tcp/4001'

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

  /** Name, role and standing by peer id, as the founder sees them. */
  async function members (): Promise<Record<string, string>> {
    const list = await consiliumJson<MemberView[]>(['members', '--home', founder])
    return Object.fromEntries(list.map(({ peerId, name, role, standing }) => [peerId, `${name}, ${role}, ${standing}`]))
  }

  /** The one sentence of a command that must fail. */
  async function refused (...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await consilium(args)
    expect([code === 0, stdout, plainLines(stderr).length], stderr).to.deep.equal([false, '', 1])
    return stderr.trim()
  }

  it('shows this site itself first among the members, founder or not', async () => {
    const { home, peerId } = await newSite()
    await consiliumJson(['join', await invited(peerId, '--name', 'Mercy'), '--home', home])
    for (const [at, name, role] of [[home, 'Mercy', 'member'], [founder, 'founder', 'founder']] as const) {
      const list = await consiliumJson<MemberView[]>(['members', '--home', at])
      expect(list[0]).to.include({ name, role, standing: 'member', isSelf: true })
      expect(list.filter(({ isSelf }) => isSelf)).to.have.length(1)
      expect(new Set(list.map((each) => each.peerId)).size).to.equal(list.length)
      const { stdout } = await consilium(['members', '--home', at])
      expect(stdout.split('\n')[1]).to.equal(`  ${role}, this site; last round none`)
    }
  })

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

    it('reads the invitation from a file or from standard input, where no other user sees it', async () => {
      for (const from of ['file', '-']) {
        const { home, peerId } = await newSite()
        const invitation = await invited(peerId)
        const file = join(folder, `invitation of ${peerId}`)
        await writeFile(file, `${invitation}\n`)
        const input = from === '-' ? `  ${invitation}\n` : ''
        const { code, stdout, stderr } = await consilium(['join', from === '-' ? '-' : file, '--home', home, '--json'], { input })
        expect(code, stderr).to.equal(0)
        expect(JSON.parse(stdout)).to.include({ peerId, name: 'test' })
      }
      const { code, stderr } = await consilium(['join', '-', '--home', (await newSite()).home], { input: 'x'.repeat(20_000) })
      expect([code, stderr.trim()]).to.deep.equal([1, 'consilium: what came on standard input is no invitation: it is too long'])
    })

    it('says when neither the invitation nor the home holds an address', async () => {
      const { home, peerId } = await newSite()
      const invitation = await invited(peerId)
      const lost = await consilium(['join', invitation, '--home', home, '--json'])
      expect(plainLines(lost.stderr)).to.deep.equal([
        'consilium: this site knows no address of another one: ask for an invitation that holds one, or name a site with "consilium ' +
          'start --bootstrap ADDRESS"'
      ])
      expect(JSON.parse(lost.stdout)).to.include({ peerId, warning: lost.stderr.trim().replace('consilium: ', '') })
      expect((await consilium(['join', invitation, '--home', home, '--bootstrap', ADDRESS])).stderr).to.equal('')
      expect((await consilium(['join', invitation, '--home', home])).stderr, 'it knows one from before').to.equal('')
    })

    it('knows where to begin where the document has hints, which its founders add and take out', async () => {
      const hinting = join(folder, 'hinting')
      const create = ['federation', 'create', '--home', hinting, '--name', 'test', '--hint']
      expect(await refused(...create, 'relay.example')).to.contain('--hint relay.example is not a multiaddress')
      await consiliumJson([...create, ADDRESS])
      const { home, peerId } = await newSite()
      const line = await consilium(['invite', peerId, '--home', hinting])
      expect(line.stderr).to.equal('')
      expect((await consilium(['join', line.stdout.trim(), '--home', home])).stderr).to.equal('')
      const amend = ['federation', 'amend', '--home', hinting, '--remove-hint']
      expect(await refused(...amend, '/ip4/10.0.0.9/tcp/1')).to.contain('is not one of the hints')
      const other = '/dns4/relay.example/tcp/443/tls/ws'
      const { changes } = await consiliumJson<{ changes: string[] }>([...amend, ADDRESS, '--add-hint', other])
      expect(changes).to.deep.equal([`hints: ["${ADDRESS}"] becomes ["${other}"]`])
    })
  })

  describe('invite', () => {
    it('is refused for this site itself', async () => {
      const { peerId } = await consiliumJson<{ peerId: string }>(['id', '--home', founder])
      expect(await refused('invite', peerId, '--home', founder)).to.contain(`${peerId} is this site itself`)
      expect(await members()).to.include({ [peerId]: 'founder, founder, member' })
    })

    it('takes addresses that are some', async () => {
      const { peerId } = await newSite()
      for (const wrong of ['foo', '/', `/dns4/${'x'.repeat(300)}/tcp/1`]) {
        expect(await refused('invite', peerId, '--home', founder, '--bootstrap', wrong)).to.contain(
          `--bootstrap ${wrong} is not a multiaddress`
        )
      }
      expect(await members()).not.to.have.property(peerId)
    })

    it('says when the invitation holds no address, beside it', async () => {
      const { peerId } = await newSite()
      const { stdout, stderr } = await consilium(['invite', peerId, '--home', founder])
      expect(stdout).to.match(/^consilium1\S+\n$/)
      expect(plainLines(stderr)).to.deep.equal([
        'consilium: the invitation holds no address of a site: start your daemon first or give --bootstrap ADDRESS, then invite again'
      ])
      expect(await consiliumJson(['invite', peerId, '--home', founder])).to.include({ warning: stderr.trim().replace('consilium: ', '') })
      expect((await consilium(['invite', peerId, '--home', founder, '--bootstrap', ADDRESS])).stderr).to.equal('')
    })

    it('keeps the name of a site that is invited again', async () => {
      const { peerId } = await newSite()
      await invited(peerId, '--name', 'St. Mary')
      expect(await consiliumJson(['invite', peerId, '--home', founder])).to.include({ name: 'St. Mary' })
      expect(await members()).to.include({ [peerId]: 'St. Mary, member, invited' })
      await invited(peerId, '--name', 'Mercy')
      expect(await members()).to.include({ [peerId]: 'Mercy, member, invited' })
    })
  })

  it('revoke asks again before it ends for good the membership of a site that is unknown here', async () => {
    const { peerId } = await newSite()
    expect(await refused('revoke', peerId, '--home', founder)).to.contain(`nobody here has invited or met ${peerId}`)
    expect(await consiliumJson(['revoke', peerId, '--yes', '--home', founder])).to.include({ peerId, effective: true })
    const self = await consiliumJson<{ peerId: string }>(['id', '--home', founder])
    expect(await refused('revoke', self.peerId, '--home', founder)).to.contain('a site cannot revoke itself')
  })

  it('init says whether the key was there before', async () => {
    const { home, peerId } = await newSite()
    const again = await consilium(['init', '--home', home])
    expect(again.stdout).to.equal(`${peerId}\n`)
    expect(plainLines(again.stderr)).to.deep.equal([
      `consilium: ${sitePaths(home).identity} was there already and is kept: for another site choose another --home`
    ])
    expect(await consiliumJson(['init', '--home', home])).to.deep.equal({ peerId, home, existed: true })
    expect(await newSite()).to.include({ existed: false })
  })
})
