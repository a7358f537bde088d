import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { pickledPth } from '../unit/node/offline-models/pth-writer.ts'
import { consilium, consiliumJson, plainLines, start } from './cli.ts'

describe('what bad input gets from the command line', function () {
  this.timeout(60_000)
  let folder: string
  let founder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    founder = join(folder, 'founder')
    await consiliumJson(['federation', 'create', '--home', founder, '--name', 'test', '--rounds', '1'])
  })

  after(async () => { await rm(folder, { recursive: true }) })

  /** One plain sentence on stderr, nothing on stdout but the same as JSON where that was asked for, no stack trace. */
  async function refused (code: number, args: readonly string[]): Promise<string> {
    const ended = await consilium(args)
    const lines = plainLines(ended.stderr)
    expect(lines, ended.stderr).to.have.length(1)
    expect(lines[0]).to.match(/^consilium: /).and.not.to.match(/\bat .*:\d+:\d+/)
    const sentence = lines[0]!.replace('consilium: ', '')
    expect(ended.stdout).to.equal(args.includes('--json') ? `${JSON.stringify({ error: sentence })}\n` : '')
    expect(ended.code).to.equal(code)
    return sentence
  }

  describe('wrong usage ends with 2', () => {
    for (
      const [args, message] of [
        [['start', '--dta', 'x'], 'unknown flag --dta: did you mean --data?'],
        [['federation', 'create', '--nmae', 'x'], 'unknown flag --nmae: did you mean --name?'],
        [['strat'], 'strat is unknown: did you mean start?'],
        [['foo'], 'foo is unknown: see --help'],
        [['status', 'foo'], 'foo is unknown: see --help'],
        [['invite'], 'peerId is missing: write consilium invite <peerId>'],
        [['audit', 'reconcile', 'a'], 'b is missing: write consilium audit reconcile <a> <b>'],
        [['status', '--home', 'a', '--home', 'b'], '--home is given twice: give it once'],
        [['predict', '--image', 'x', '--out', 'y.png', '--mode', 'global', '--mode', 'frozen'], '--mode is given twice: give it once'],
        [['id', '--home'], '--home has no value: give it one'],
        [['id', '--home', '--json'], '--home has no value: give it one'],
        [['id', '--home', ''], '--home is empty: give it a value'],
        [['start', '--threads='], '--threads is empty: give it a value'],
        [
          ['start', '--home', '/nowhere', '--threads', 'abc', '--nice', '99', '--listen', 'foo'],
          'wrong settings: --listen must be addresses such as /ip4/10.0.0.5/tcp/4001; --threads must be a whole number from 0 to ' +
            '1024; --nice must be a whole number from 0 to 19'
        ],
        [
          ['invite', '12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ', '--ttl', '-3d'],
          '--ttl must be a time such as 30d, 12h, 15m or 10s, and 3650d at most, not -3d'
        ],
        [
          ['predict', '--image', 'x', '--out', 'y.png', '--point', '-5,5,1'],
          '--point has no value: write --point=-5,5,1, since it begins with a minus'
        ],
        [[], 'say which command to run: see --help'],
        [['data'], 'say what to do: data check, withdraw, withdrawn or readmit: see --help'],
        [
          ['federation', 'create', '--home', '/nowhere', '--name', 'x', '--rounds', 'many'],
          '--rounds must be a whole number from 1 to 100000'
        ],
        [['federation', 'create', '--name', 'x', '--rounds', '9999999999999'], '--rounds must be a whole number from 1 to 100000'],
        [['federation', 'create', '--name', 'x', '--image-size', '1000000'], '--image-size must be a multiple of 16 from 16 to 4096'],
        [['federation', 'create', '--name', 'x', '--image-size', '40'], '--image-size must be a multiple of 16 from 16 to 4096'],
        [['federation', 'create', '--name', 'x', '--seed', '1e99'], '--seed must be a whole number from 0 to 4294967295'],
        [
          ['federation', 'create', '--name', 'x', '--cool-down', 'Infinity'],
          '--cool-down must be a number of seconds above 0 and at most 604800'
        ],
        [['federation', 'create', '--name', 'a\tb'], '--name must have 1 to 100 printable characters'],
        [['predict', '--image', 'x', '--out', 'y.png', '--box', '1,2,3'], '--box 1,2,3 must be 4 numbers separated by commas'],
        [['revoke', 'me'], 'me is not a peer id: "consilium members" shows them (12D3KooW…)'],
        [['federation', 'create', '--name', 'x', '--quorum', '2'], '--quorum must be a whole number from 1 to the number of founders'],
        [
          ['federation', 'rotate-key', '--overlap', 'long'],
          '--overlap must be a time such as 30d, 12h, 15m or 10s, and 3650d at most, not long'
        ]
      ] as const
    ) {
      it(`consilium ${args.join(' ')}`, async () => {
        expect(await refused(2, args)).to.equal(message)
      })
    }
  })

  it('--help is no failure', async () => {
    const { code, stdout } = await consilium(['start', '--help'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('--bootstrap').and.contain('the local baseline')
  })

  it('evaluate on a folder with nothing to validate with', async () => {
    const data = join(folder, 'one')
    const [images, masks] = [join(data, 'images'), join(data, 'masks')]
    for (const each of [images, masks]) await mkdir(each, { recursive: true })
    await sharp({ create: { width: 16, height: 16, channels: 3, background: 'grey' } }).png().toFile(join(images, 'a.png'))
    await sharp({ create: { width: 16, height: 16, channels: 3, background: 'white' } }).toColourspace('b-w').png().toFile(
      join(masks, 'a.png')
    )
    expect(await refused(1, ['evaluate', '--home', founder, '--data', data])).to.equal(
      `${data} has no slices to validate with (1 in all): use --split all, or look at it with consilium data check`
    )
  })

  describe('federation and keys', () => {
    it('an invitation that was mistyped, is for another site, or came before the key: refused by join, which leaves ' +
      'nothing behind', async () => {
      const home = join(folder, 'joiner')
      const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', join(folder, 'invited')])
      const { invitation } = await consiliumJson<{ invitation: string }>(['invite', peerId, '--home', founder])
      expect(await refused(1, ['join', invitation, '--home', home])).to.contain('run "consilium init" first')
      expect(await readdir(folder)).not.to.include('joiner')
      await consiliumJson(['init', '--home', home])
      expect(await refused(1, ['join', invitation, '--home', home])).to.contain('the invitation is for another site')
      expect(await refused(1, ['join', invitation.slice(0, -1), '--home', home])).to.equal(
        'the invitation was mistyped or cut: copy it again as a whole'
      )
      expect(await refused(1, ['join', join(folder, 'no-file'), '--home', home])).to.contain('is neither an invitation nor a file')
      expect(await readdir(home)).to.deep.equal(['home.json', 'identity.key'])
    })

    it('an edited federation file: refused by start', async () => {
      const home = join(folder, 'edited-home')
      await cp(founder, home, { recursive: true })
      const file = join(home, 'federation.json')
      await writeFile(file, (await readFile(file, 'utf8')).replace('"name": "test"', '"name": "Test"'))
      expect(await refused(1, ['start', '--home', home, '--data', 'samples/colin27/hospital-a'])).to.contain(
        'was changed after its founder signed it'
      )
    })

    it('a bootstrap address that is none', async () => {
      expect(await refused(2, ['join', 'consilium1', '--home', join(folder, 'joiner'), '--bootstrap', '10.0.0.5'])).to.contain(
        '10.0.0.5 is not a multiaddress'
      )
    })

    it('a home that is a file, settings that are a folder', async () => {
      const file = join(folder, 'file')
      await writeFile(file, '')
      expect(await refused(1, ['init', '--home', file])).to.equal(
        `${join(file, 'home.json')} is not a folder, or lies below a file: check the name`
      )
      expect(await refused(1, ['federation', 'create', '--home', join(folder, 'unmade'), '--name', 'x', '--settings', folder])).to.equal(
        `${folder} is a folder where a file is needed: name a file`
      )
      expect(await refused(1, ['model', 'import', join(folder, 'gone.pth'), '--home', founder])).to.equal(
        `${join(folder, 'gone.pth')} does not exist: check the name`
      )
    })

    it('a weight file whose pickle would write in the terminal, and one whose name would', async () => {
      const file = join(folder, 'steering\u001b[2J.pth')
      await writeFile(file, pickledPth(Buffer.from('\x80\x02c\x1b]0;owned\x07\nX\n.', 'latin1')))
      const said = await refused(1, ['model', 'import', file, '--home', founder])
      expect(said).to.contain('steering\\u001b[2J.pth').and.contain('it asks to use \\u001b]0;owned\\u0007.X')
      expect(said).not.to.match(/\p{Cc}/u)
    })

    it('a federation file that is not there, and a home without one', async () => {
      const gone = join(folder, 'gone.json')
      for (const command of ['show', 'verify', 'sign']) {
        expect(await refused(1, ['federation', command, gone, '--home', founder])).to.equal(
          `${gone} does not exist: name the federation.json that a founder made`
        )
      }
      expect(await refused(1, ['federation', 'show', '--home', gone])).to.contain('ask a founder for an invitation')
    })

    it('an output that cannot be written', async function () {
      if (process.platform !== 'linux') this.skip()
      const { status, stderr } = spawnSync(
        'sh',
        ['-c', '"$0" dist/src/cli/index.js id --home "$1" > /dev/full', process.execPath, founder],
        { encoding: 'utf8' }
      )
      expect(stderr).to.equal('consilium: the output cannot be written: the disk is full; make room and run this again\n')
      expect(status).to.equal(1)
    })

    it('an output that nobody reads is no failure', async () => {
      const { child, ended } = start(['id', '--home', founder])
      child.stdout.destroy()
      expect(await ended).to.include({ code: 0, stderr: '' })
    })

    it('a passphrase that cannot be asked for', async () => {
      expect(await refused(1, ['id', 'protect', '--home', founder])).to.equal(
        'the new passphrase cannot be asked for without a terminal: set CONSILIUM_NEW_PASSPHRASE, or run the command on a terminal'
      )
    })

    it('a second federation in the same home', async () => {
      expect(await refused(1, ['federation', 'create', '--home', founder, '--name', 'other'])).to.contain('exists already')
    })

    it('no federation, no identity, no daemon', async () => {
      const home = join(folder, 'empty')
      expect(await refused(1, ['start', '--home', home, '--data', '.'])).to.contain('federation.json does not exist')
      expect(await refused(1, ['id', '--home', home])).to.contain('run "consilium init" first')
      expect(await refused(1, ['status', '--home', home])).to.contain('no daemon answers for')
      expect(await refused(1, ['export', '--home', home, '--out', join(folder, 'x.safetensors')])).to.contain('has no adapter yet')
      expect(await readdir(folder)).not.to.include.members(['empty', 'x.safetensors'])
    })

    it('wrong settings in the environment', async () => {
      const { code, stderr } = await consilium(['start', '--home', founder, '--data', '.'], { env: { CONSILIUM_NICE: '99' } })
      expect(code).to.equal(1)
      expect(stderr).to.equal('consilium: wrong settings: CONSILIUM_NICE must be a whole number from 0 to 19\n')
    })
  })

  describe('occupied ports', () => {
    let server: Server
    let port: number

    before(async () => {
      server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as { port: number }).port
    })

    after(() => { server.close() })

    it('of the network', async () => {
      expect(
        await refused(1, [
          'start',
          '--home',
          founder,
          '--data',
          'samples/colin27/hospital-a',
          '--listen',
          `/ip4/127.0.0.1/tcp/${port}`,
          '--log-level',
          'silent'
        ])
      ).to.equal(`the address 127.0.0.1:${port} is occupied: stop the program that listens there or choose another with --listen`)
    })

    it('of the control API', async () => {
      expect(
        await refused(1, [
          'start',
          '--home',
          founder,
          '--data',
          'samples/colin27/hospital-a',
          '--listen',
          '/ip4/127.0.0.1/tcp/0',
          '--control-port',
          String(port),
          '--log-level',
          'silent'
        ])
      ).to.equal(`the control port ${port} is occupied: choose another with --control-port`)
    })
  })

  describe('data', () => {
    const image = async (file: string, { width = 32, height = 32, value = 100 } = {}): Promise<void> => {
      await sharp({ create: { width, height, channels: 3, background: { r: value, g: value, b: value } } }).png().toFile(file)
    }

    /** A folder with one pair, changed by `spoil`. */
    async function dataFolder (name: string, spoil: (root: string) => Promise<void>): Promise<string> {
      const root = join(folder, name)
      await mkdir(join(root, 'images'), { recursive: true })
      await mkdir(join(root, 'masks'))
      await image(join(root, 'images', 'a.png'))
      await image(join(root, 'masks', 'a.png'), { value: 255 })
      await spoil(root)
      return root
    }

    for (
      const [name, spoil, message] of [
        ['an empty folder', async (root: string) => {
          for (const each of await readdir(root)) await rm(join(root, each), { recursive: true })
        }, /has neither images\/ and masks\//],
        ['empty images and masks', async (root: string) => {
          for (const each of ['images', 'masks']) await rm(join(root, each, 'a.png'))
        }, /holds no images/],
        ['a truncated image', async (root: string) => {
          await truncate(join(root, 'images', 'a.png'), 60)
        }, /nothing in .* can be used/],
        ['a mask without image', async (root: string) => {
          await rm(join(root, 'images', 'a.png'))
        }, /nothing in .* can be used/],
        ['a mask of another size', async (root: string) => {
          await image(join(root, 'masks', 'a.png'), { width: 16, value: 255 })
        }, /nothing in .* can be used/],
        ['masks with no foreground anywhere', async (root: string) => {
          await image(join(root, 'masks', 'a.png'), { value: 0 })
        }, /nothing in .* can be used/],
        ['a truncated volume', async (root: string) => {
          for (const each of ['images', 'masks']) {
            await rm(join(root, each, 'a.png'))
            await writeFile(join(root, each, 'v.nii'), Buffer.alloc(300))
          }
        }, /nothing in .* can be used/]
      ] as const
    ) {
      it(`${name}: refused by data check and by start, in the same words`, async () => {
        const root = await dataFolder(name.replaceAll(' ', '-'), spoil)
        // What is wrong with which file is said to the person at the terminal first.
        const check = await consilium(['data', 'check', root, '--sheet', join(folder, 'sheet.png')])
        expect(check.code).to.equal(1)
        const checked = plainLines(check.stderr).at(-1)!.replace('consilium: ', '')
        expect(checked).to.match(message)
        expect(await readdir(folder)).not.to.include('sheet.png')
        const started = await refused(1, ['start', '--home', founder, '--data', root, '--alone', '--log-level', 'silent'])
        expect(started).to.equal(checked)
      })
    }

    it('a folder that does not exist', async () => {
      expect(await refused(1, ['start', '--home', founder, '--data', join(folder, 'nowhere'), '--alone', '--log-level', 'silent'])).to
        .contain('nowhere')
    })
  })
})
