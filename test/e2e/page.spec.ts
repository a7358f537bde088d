import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Parts } from '../../src/page/site-view.ts'
import { consilium, start, type Running } from './cli.ts'

const POLL_MS = 50

describe('consilium page', function () {
  this.timeout(240_000)
  let folder: string
  let home: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'home')
    const { code, stderr } = await consilium(['federation', 'create', '--home', home, '--name', 'Prostate North', '--rounds', '2'])
    expect(code, stderr).to.equal(0)
  })
  after(async () => { await rm(folder, { recursive: true }) })

  async function until<T> (read: () => Promise<T | undefined> | T | undefined, { child }: Running): Promise<T> {
    for (;;) {
      const value = await read()
      if (value != null) return value
      if (child.exitCode != null) throw new Error('it ended')
      await sleep(POLL_MS)
    }
  }

  it('shows a home whose daemon never ran, on this machine alone, and ends at SIGTERM', async () => {
    const running = start(['page', '--home', home, '--no-open', '--json'])
    try {
      const line = await until(() => /^.*\n/.exec(running.out.stdout)?.[0], running)
      const { origin, hash, hostname } = new URL((JSON.parse(line) as { url: string }).url)
      expect(hostname).to.equal('127.0.0.1')
      const answer = await fetch(`${origin}/parts`, { headers: { authorization: `Bearer ${hash.slice(1)}` } })
      const html = ((await answer.json()) as Parts).parts.map((each) => each.html).join('')
      expect(html).to.include('Federation “Prostate North”').and.to.include('nothing of an earlier run is kept')
      expect(html).to.include('No round has begun.').and.to.include('founder')
    } finally {
      running.child.kill('SIGTERM')
    }
    expect((await running.ended).code).to.equal(0)
    expect(running.out.stderr).to.equal('')
  })

  it('opens it by a file of this user where there is a screen: the token is in no command line, and the file goes with it', async () => {
    const opener = join(folder, 'xdg-open')
    await writeFile(opener, `#!/bin/sh\nprintf %s "$*" > '${folder}/asked.new' && mv '${folder}/asked.new' '${folder}/asked'\n`)
    await chmod(opener, 0o755)
    const env = { DISPLAY: ':9', PATH: `${folder}${delimiter}${process.env['PATH']}` }
    const running = start(['page', '--home', home], { env })
    try {
      const url = await until(() => /^open (http:\S+) in a browser/.exec(running.out.stdout)?.[1], running)
      const asked = await until(async () => await readFile(join(folder, 'asked'), 'utf8').catch(() => undefined), running)
      expect(asked).to.match(/^file:\/\//).and.not.to.include(new URL(url).hash.slice(1))
      const file = fileURLToPath(asked)
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
      expect(await readFile(file, 'utf8')).to.include(`content="0;url=${url}"`)
      running.child.kill('SIGINT')
      expect((await running.ended).code).to.equal(0)
      expect(await stat(file).then(() => 'there', () => 'gone')).to.equal('gone')
    } finally {
      running.child.kill('SIGKILL')
    }
  })

  it('says what is wrong with a port or a home', async () => {
    for (const [args, words] of [
      [['--home', home, '--port', '70000'], '--port 70000 is no port: choose 0 to 65535'],
      [['--home', join(folder, 'nowhere'), '--no-open'], 'nowhere']
    ] as const) {
      const { code, stderr } = await consilium(['page', ...args])
      expect(code).not.to.equal(0)
      expect(stderr).to.include(words)
    }
  })
})
