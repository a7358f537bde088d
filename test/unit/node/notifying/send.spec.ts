import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createProxy } from 'node:http'
import { createServer, type Server } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect } from 'chai'
import { sender } from '../../../../src/node/notifying/send.ts'

const NOTICE = { site: 'Mercy', kind: 'disk' }

async function failure (notify: string, proxy?: string): Promise<string> {
  return await sender(notify, proxy)(NOTICE).then(() => 'sent', (error: Error) => error.message)
}

describe('a notice', function () {
  this.timeout(30_000)
  let folder: string

  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  describe('to a program', () => {
    async function program (script: string): Promise<string> {
      const path = join(folder, 'tell-it')
      await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
      return path
    }

    it('is JSON on its standard input, and no passphrase is in its environment', async () => {
      process.env['CONSILIUM_PASSPHRASE'] = 'secret words'
      try {
        await sender(await program(`cat > ${folder}/told; env > ${folder}/env`), undefined)(NOTICE)
      } finally {
        delete process.env['CONSILIUM_PASSPHRASE']
      }
      expect(JSON.parse(await readFile(join(folder, 'told'), 'utf8'))).to.deep.equal(NOTICE)
      expect(await readFile(join(folder, 'env'), 'utf8')).not.to.include('secret words')
    })

    it('fails in words when it fails, or is not there; one that reads nothing is taken at its word', async () => {
      expect(await failure(await program('exit 3'))).to.equal('the program ended with code 3')
      expect(await failure(await program('exit 0'))).to.equal('sent')
      expect(await failure(join(folder, 'nothing'))).to.match(/ENOENT/)
    })
  })

  describe('to a web address', () => {
    const before = getCACertificates('default')
    let server: Server
    let told: string[]
    let status: number

    beforeEach(async () => {
      [told, status] = [[], 204]
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
      const subject = ['-subj', '/CN=hook.example', '-addext', 'subjectAltName=DNS:hook.example,DNS:localhost']
      const fresh = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert]
      execFileSync('openssl', [...fresh, ...subject], { stdio: 'ignore' })
      setDefaultCACertificates([...before, await readFile(cert, 'utf8')])
      server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
        request.setEncoding('utf8')
        let body = ''
        request.on('data', (text: string) => { body += text })
        request.on('end', () => {
          told.push(`${request.method} ${request.url} ${body}`)
          response.writeHead(status).end()
        })
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
    })

    afterEach(() => {
      setDefaultCACertificates(before)
      server.close()
    })

    it('is posted as JSON; anything but success is a failure that does not name the secret path', async () => {
      const address = `https://localhost:${(server.address() as AddressInfo).port}/hooks/s3cret`
      expect(await failure(address)).to.equal('sent')
      expect(told).to.deep.equal([`POST /hooks/s3cret ${JSON.stringify(NOTICE)}`])
      status = 302
      expect(await failure(address)).to.equal('localhost answered 302')
      setDefaultCACertificates(before)
      expect(await failure(address)).to.match(/self-signed/).and.not.to.include('s3cret')
    })

    it("goes through the site's proxy", async () => {
      const asked: string[] = []
      const proxy = createProxy().on('connect', ({ url }, client) => {
        asked.push(url!)
        const target = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
          client.write('HTTP/1.1 200 OK\r\n\r\n')
          target.pipe(client).pipe(target)
        })
        client.on('error', () => { target.destroy() })
        target.on('error', () => { client.destroy() })
      }).listen(0, '127.0.0.1')
      await once(proxy, 'listening')
      try {
        expect(await failure('https://hook.example/x', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)).to.equal('sent')
        expect(asked).to.deep.equal(['hook.example:443'])
        expect(told).to.have.length(1)
      } finally {
        proxy.close()
      }
    })
  })
})
