import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so'
const START_MS = 60_000
export const [USER, PASSWORD] = ['radiology', 'a password of the test']

/** Skips what needs Orthanc where it is missing, and says so. */
export function needOrthanc (context: Mocha.Context): void {
  if (spawnSync('Orthanc', ['--version']).error == null && existsSync(PLUGIN)) return
  console.log('      skipped: Orthanc (Debian packages orthanc, orthanc-dicomweb) is missing')
  context.skip()
}

/** A PACS of its own, which asks for a password. */
export class Orthanc {
  readonly address: string
  readonly #origin: string
  readonly #child: ChildProcess

  private constructor (port: number, child: ChildProcess) {
    this.#origin = `http://127.0.0.1:${port}`
    this.address = `dicomweb+${this.#origin}/dicom-web`
    this.#child = child
  }

  static async start (folder: string): Promise<Orthanc> {
    const port = await freePort()
    await mkdir(folder, { recursive: true })
    const file = join(folder, 'orthanc.json')
    await writeFile(file, JSON.stringify({
      Name: 'test',
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'storage'),
      HttpPort: port,
      DicomServerEnabled: false,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: true,
      RegisteredUsers: { [USER]: PASSWORD },
      Plugins: [PLUGIN],
      DicomWeb: { Enable: true, Root: '/dicom-web/' }
    }))
    const orthanc = new Orthanc(port, spawn('Orthanc', [file], { stdio: 'ignore' }))
    await orthanc.#listening()
    return orthanc
  }

  /** Uploads every file of a folder. */
  async upload (folder: string): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const response = await this.#ask('/instances', await readFile(join(entry.parentPath, entry.name)))
      if (!response.ok) throw new Error(`Orthanc does not take a file (${response.status})`)
    }
  }

  /** What its own interface says. */
  async get<T> (path: string): Promise<T> {
    return await (await this.#ask(path)).json() as T
  }

  async file (instance: string): Promise<Buffer> {
    return Buffer.from(await (await this.#ask(`/instances/${instance}/file`)).arrayBuffer())
  }

  async remove (path: string): Promise<void> {
    await fetch(this.#origin + path, { method: 'DELETE', headers: this.#headers })
  }

  async stop (): Promise<void> {
    if (this.#child.exitCode != null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }

  get #headers (): Record<string, string> {
    return { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` }
  }

  async #ask (path: string, body?: Buffer<ArrayBuffer>): Promise<Response> {
    return await fetch(this.#origin + path, { headers: this.#headers, ...body == null ? {} : { method: 'POST', body } })
  }

  async #listening (): Promise<void> {
    for (const before = Date.now(); Date.now() - before < START_MS; await pause(100)) {
      if (this.#child.exitCode != null) throw new Error(`Orthanc ended with ${this.#child.exitCode}`)
      if (await this.#ask('/dicom-web/studies').then((response) => response.ok, () => false)) return
    }
    throw new Error('Orthanc does not listen')
  }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
