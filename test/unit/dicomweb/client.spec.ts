import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { PacsClient } from '../../../src/dicomweb/client.ts'
import { failureOf } from '../../../src/dicomweb/failures.ts'

const QUERY = new URLSearchParams({ PatientID: 'CANARY' })

describe('what is asked of a PACS', () => {
  let server: Server
  let listener: RequestListener
  let base: string

  before(async () => {
    server = createServer((request, response) => { listener(request, response) }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const client = (waitMs = 20_000): PacsClient => new PacsClient({ base, authorization: 'Basic dTpw', waitMs })
  const answering = (status: number, body = '', headers: Record<string, string> = {}): void => {
    listener = (_, response) => response.writeHead(status, headers).end(body)
  }
  const json = { 'content-type': 'application/dicom+json' }
  const refusal = async (waitMs?: number): Promise<string> =>
    await client(waitMs).studies(QUERY).then(() => 'it was answered', ({ message }: Error) => message)

  it('is asked page after page, however short the pages are, and of a server that knows none', async () => {
    const all = Array.from({ length: 7 }, (_, i) => ({ '0020000D': { vr: 'UI', Value: [`1.${i}`] } }))
    const uids = all.map((_, i) => `1.${i}`)
    for (const page of [3, 100]) {
      listener = ({ url, headers }, response) => {
        expect(headers.authorization).to.equal('Basic dTpw')
        const query = new URL(url!, base).searchParams
        expect(query.get('PatientID')).to.equal('CANARY')
        const offset = page === 100 ? 0 : Number(query.get('offset'))
        response.writeHead(200, json).end(JSON.stringify(all.slice(offset, offset + page)))
      }
      expect(await client().studies(QUERY)).to.deep.equal(uids)
    }
  })

  it('takes no UID that is none, and no shape but the right one', async () => {
    for (const odd of [null, 5, 'x', [], {}, { '0020000D': null }, { '0020000D': { Value: 3 } }, { '0020000D': { Value: ['../x'] } }]) {
      answering(200, JSON.stringify([odd]), json)
      expect(await client().studies(QUERY)).to.deep.equal([])
    }
    answering(204)
    expect(await client().studies(QUERY)).to.deep.equal([])
  })

  it('one sentence for each failure, without what was asked', async () => {
    const cases: ReadonlyArray<readonly [number, string, Record<string, string>, RegExp]> = [
      [200, '<html>', { 'content-type': 'text/html' }, /is no DICOMweb service/],
      [200, '{ "a": 1 }', json, /is no DICOMweb service/],
      [301, '', { location: 'http://elsewhere/' }, /sends on to another address/],
      [400, 'CANARY', {}, /does not take the question \(400\)/],
      [401, 'CANARY', {}, /refuses this site \(401\): give its user/],
      [404, '', {}, /has nothing there/],
      [500, '', {}, /failed \(500\)/]
    ]
    for (const [status, body, headers, sentence] of cases) {
      answering(status, body, headers)
      expect(await refusal(), `${status}`).to.match(sentence).and.not.include('CANARY')
    }
  })

  it('waits no longer than it says, for a beginning or for more', async () => {
    listener = () => {}
    expect(await refusal(50)).to.match(/^the PACS does not answer, or stopped/)
    listener = (_, response) => { response.writeHead(200, json).write('[') }
    expect(await refusal(50)).to.match(/^the PACS does not answer, or stopped/)
  })

  it('reads no more than it says', async () => {
    listener = (_, response) => {
      response.writeHead(200, json)
      const part = Buffer.alloc(2 ** 22, ' ')
      const more = (): void => { if (!response.destroyed) response.write(part, more) }
      more()
    }
    expect(await refusal()).to.equal('the PACS sent an answer of more than 64 MiB')
  })

  it('a PACS that is busy is asked again', async () => {
    let asked = 0
    listener = (_, response) => { response.writeHead(++asked === 1 ? 503 : 204).end() }
    expect(await client().studies(QUERY)).to.deep.equal([])
    expect(asked).to.equal(2)
  })

  it('a result that it does not take is an error, by its reason', async () => {
    answering(202, JSON.stringify({ '00081198': { vr: 'SQ', Value: [{ '00081197': { vr: 'US', Value: [272] } }] } }), json)
    const said = await client().store('1.2', new Uint8Array(4)).then(() => '', ({ message }: Error) => message)
    expect(said).to.equal('the PACS did not take the result (reason 0x0110)')
    answering(200, '{}', json)
    await client().store('1.2', new Uint8Array(4))
  })

  it('what the system calls a failure gets its sentence', async () => {
    const of = (code: string): string => failureOf(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) }))
    expect(of('DEPTH_ZERO_SELF_SIGNED_CERT')).to.include('NODE_EXTRA_CA_CERTS')
    expect(of('UNABLE_TO_VERIFY_LEAF_SIGNATURE')).to.include('NODE_EXTRA_CA_CERTS')
    expect(of('CERT_HAS_EXPIRED')).to.include('has expired')
    expect(of('ENOTFOUND')).to.include('no machine has the name')
    server.closeAllConnections()
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const none = new PacsClient({ base: `http://127.0.0.1:${port}` })
    const said = await none.studies(QUERY).then(() => '', ({ message }: Error) => message)
    expect(said).to.match(/^nothing listens at the address of the PACS/)
  })
})
