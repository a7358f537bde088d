import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { SystemNotify } from '../../../src/node/system-notify.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

describe('SystemNotify', function () {
  this.timeout(60_000)

  it('says nothing where no systemd asks, and once that it cannot where its program is missing', async () => {
    const said: unknown[] = []
    const logger = { warn: (message: unknown): void => { said.push(message) } }
    await new SystemNotify({}, logger as never).ready(() => 'well')
    expect(said).to.deep.equal([])
    const system = new SystemNotify({ NOTIFY_SOCKET: '/run/none', PATH: '/nowhere' }, logger as never)
    await system.ready(() => 'well')
    await system.stopping()
    expect(said).to.deep.equal(['systemd could not be told (systemd-notify: ENOENT): install it, or start with Type=exec'])
  })

  describe('at a socket such as systemd has', () => {
    let folder: string
    let receiver: ChildProcess
    let heard: string[]

    before(function () {
      if (['perl', 'systemd-notify'].every((name) => spawnSync(name, ['--version']).error == null)) return
      console.log('      skipped: perl or systemd-notify is missing')
      this.skip()
    })

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'consilium-'))
      heard = []
      receiver = spawn('perl', [join(FIXTURES, 'receive-datagrams.pl'), join(folder, 'notify')], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: receiver.stdout! })
      lines.on('line', (line) => { heard.push(line) })
      await once(lines, 'line')
    })

    afterEach(async () => {
      receiver.kill()
      await once(receiver, 'exit')
      await rm(folder, { recursive: true })
    })

    it('is ready, beats while the event loop turns and not while it hangs, and says that it stops', async () => {
      const env = { ...process.env, NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '200000' }
      const args = ['--import', 'tsx', join(FIXTURES, 'hang-worker.ts'), '3000']
      const [code] = await once(spawn(process.execPath, args, { env, stdio: 'inherit' }), 'exit') as [number]
      expect(code).to.equal(0)
      while (!heard.includes('STOPPING=1')) await once(receiver.stdout!, 'data')
      const words = heard.filter((line) => line !== 'listening' && !line.startsWith('BARRIER'))
      expect(words[0]).to.equal('READY=1|STATUS=round 1 of 3, G|WATCHDOG=1')
      const [hangs, turns] = [words.indexOf('STATUS=hangs'), words.indexOf('STATUS=turns')]
      const beats = (from: number, to: number): number => words.slice(from, to).filter((line) => line.includes('WATCHDOG=1')).length
      expect(beats(0, hangs)).to.be.above(0)
      // One may have been on its way.
      expect(beats(hangs, turns)).to.be.at.most(1)
      expect(beats(turns, words.length)).to.be.above(0)
      expect(words.at(-1)).to.equal('STOPPING=1')
    })
  })
})
