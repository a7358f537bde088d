import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { consilium, consiliumJson, type Ended } from './cli.ts'

const DATA = join(import.meta.dirname, '../../samples/colin27/hospital-a')

/** What a hospital types in its first weeks. */
describe('small things of the first weeks', function () {
  this.timeout(120_000)
  let folder: string
  let founder: string
  const at = (name: string): string => join(folder, name)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    founder = at('founder')
    await consiliumJson(['federation', 'create', '--home', founder, '--name', 'test', '--rounds', '1'])
  })
  after(async () => { await rm(folder, { recursive: true }) })

  const protect = async (passphrase: string): Promise<Ended> =>
    await consilium(['id', 'protect', '--home', founder], { env: { CONSILIUM_NEW_PASSPHRASE: passphrase } })

  it('an error is one JSON object where JSON was asked for', async () => {
    for (
      const args of [
        ['status', '--home', founder],
        ['audit', 'show', '--home', at('none')],
        ['evaluate', '--home', founder],
        ['federation']
      ]
    ) {
      const { code, stdout, stderr } = await consilium([...args, '--json'])
      expect(code, args.join(' ')).to.be.above(0)
      const { error } = JSON.parse(stdout) as { error: string }
      expect(stderr.trimEnd()).to.equal(`consilium: ${error}`)
    }
  })

  it('audit show prints one array, or an error, and never a lone bracket', async () => {
    await rm(join(founder, 'audit'), { recursive: true, force: true })
    const { stdout } = await consilium(['audit', 'show', '--home', founder, '--json'])
    expect(() => { JSON.parse(stdout) }, stdout).not.to.throw()
  })

  it('federation show says who may show what, by whose consents, and that sites without labels may read', async () => {
    const home = at('shares')
    await consiliumJson(['federation', 'create', '--home', home, '--name', 'looks', '--rounds', '1', '--method', 'feddg'])
    const { code, stdout } = await consilium(['federation', 'show', '--home', home])
    expect(code).to.equal(0)
    expect(stdout).to.match(/^shares +sites may show each other amplitude-bank: .*policy\.json says it, too$/m)
    expect(stdout).to.match(/^readers +sites without labels may read/m)
    expect((await consilium(['federation', 'show', '--home', founder])).stdout).to.not.match(/^shares/m)
  })

  it('data check writes no picture of patients unasked', async () => {
    const before = await readdir(process.cwd())
    const { sheet } = await consiliumJson<{ sheet: string | null }>(['data', 'check', DATA])
    expect(sheet).to.equal(null)
    expect(await readdir(process.cwd())).to.deep.equal(before)
    expect((await consilium(['data', 'check', DATA])).stdout).to.contain('--sheet FILE.png draws images with their masks')
  })

  it('a short passphrase is refused, whether for a key that is there or a new one', async () => {
    const key = await readFile(join(founder, 'identity.key'))
    for (const weak of ['abc', 'aaaaaaaaaaaaaa']) {
      const { code, stderr } = await protect(weak)
      expect({ code, stderr }).to.deep.equal({
        code: 1,
        stderr: 'consilium: a passphrase needs at least 10 characters, 5 of them different, such as four words: nothing was changed\n'
      })
    }
    expect((await readFile(join(founder, 'identity.key'))).equals(key)).to.equal(true)
    expect((await consilium(['init', '--home', at('weak')], { env: { CONSILIUM_PASSPHRASE: 'abc' } })).code).to.equal(1)
  })

  it('a second founder signs the file that invite --out wrote', async () => {
    const [one, two, site] = [at('one'), at('two'), at('site')]
    const peer = async (home: string): Promise<string> => (await consiliumJson<{ peerId: string }>(['init', '--home', home])).peerId
    const [first, second, invited] = [await peer(one), await peer(two), await peer(site)]
    const create = ['federation', 'create', '--home', one, '--name', 'both', '--rounds', '1', '--founder', first, '--founder', second]
    await consiliumJson([...create, '--quorum', '2'])
    await consiliumJson(['federation', 'sign', join(one, 'federation.json'), '--home', two])
    await cp(join(one, 'network.key'), join(two, 'network.key'))
    const file = at('invitation.txt')
    await consiliumJson(['invite', invited, '--home', one, '--out', file, '--bootstrap', '/ip4/127.0.0.1/tcp/4001'])
    const signed = await consiliumJson<{ out: string, missingSignatures: number }>(['federation', 'sign', file, '--home', two])
    expect(signed).to.deep.equal({ out: file, missingSignatures: 0 })
    expect((await consiliumJson<{ name: string }>(['join', file, '--home', site])).name).to.equal('both')
  })

  it('a former ledger is found by the last characters of its peer id, and else what it wants is said', async () => {
    const home = at('rotating')
    const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', home])
    const invite = ['invite', peerId, '--home', founder, '--bootstrap', '/ip4/127.0.0.1/tcp/4001']
    const { invitation } = await consiliumJson<{ invitation: string }>(invite)
    await consiliumJson(['join', invitation, '--home', home])
    const verify = ['audit', 'verify', '--home', home, '--former']
    expect((await consilium([...verify, 'abc'])).stderr).to.match(/has no ledger of abc: its key was never rotated\n$/)
    expect((await consilium(['start', '--home', home, '--data', DATA, '--alone', '--log-level', 'silent'])).code).to.equal(0)
    const { from } = await consiliumJson<{ from: string }>(['id', 'rotate', '--home', home])
    for (const former of [from, from.slice(-8)]) expect((await consilium([...verify, former])).stdout).to.match(/^verified: /)
    expect((await consilium([...verify, 'abc'])).stderr)
      .to.contain('has no ledger of abc: give the former peer id as "id rotate" printed it, or its last 8 characters')
      .and.to.contain(from.slice(-8))
  })

  it('evaluate knows what the site trained on', async () => {
    const home = at('trained')
    await cp(founder, home, { recursive: true })
    expect((await consilium(['evaluate', '--home', home])).stderr)
      .to.equal(`consilium: ${home} does not know its images yet: name their folder with --data, or start the site\n`)
    expect((await consilium(['start', '--home', home, '--data', DATA, '--alone', '--log-level', 'silent'])).code).to.equal(0)
    const [known, named] = [await consilium(['evaluate', '--home', home]), await consilium(['evaluate', '--home', home, '--data', DATA])]
    expect(known).to.deep.equal(named)
    expect(known.code).to.equal(0)
  })

  it('TLS for which there is no certificate is refused, in a flag and in config.json', async () => {
    const sentence = /needs a certificate: give --tls-certificate and --tls-key/
    const listening = ['start', '--home', founder, '--data', DATA, '--listen', '/ip4/0.0.0.0/tcp/0/tls/ws']
    expect((await consilium(listening)).stderr).to.match(sentence)
    const home = at('configured')
    await cp(founder, home, { recursive: true })
    await writeFile(join(home, 'config.json'), JSON.stringify({ listen: ['/ip4/0.0.0.0/tcp/0/wss'] }))
    expect((await consilium(['start', '--home', home, '--data', DATA])).stderr).to.match(sentence)
  })
})
