import { expect } from 'chai'
import fc from 'fast-check'
import { asMultipart, onlyPart } from '../../../src/dicomweb/multipart.ts'
import { InputError } from '../../../src/errors.ts'

describe('multipart/related of one DICOM file', () => {
  it('is read back as it was, whatever the file holds', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { body, type } = asMultipart(bytes)
      expect([...onlyPart(body, type)]).to.deep.equal([...bytes])
    }))
  })

  it('with a boundary in or without quotes, words before it, or not wrapped at all', () => {
    const body = Buffer.from('preamble\r\n--b-1\r\nContent-Type: application/dicom\r\nX: y\r\n\r\n\r\n--b\r\n\r\n--b-1--\r\n')
    for (const boundary of ['b-1', '"b-1"']) {
      expect(String(onlyPart(body, `multipart/related; type="application/dicom"; boundary=${boundary}`))).to.equal('\r\n--b\r\n')
    }
    expect(String(onlyPart(Buffer.from('file'), 'application/dicom; transfer-syntax=1'))).to.equal('file')
  })

  it('is refused where it is something else, cut off, or of several files', () => {
    const whole = '--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--'
    const type = 'multipart/related; boundary=b'
    const parts = [whole, '--b\r\n\r\none', '', '--b--'].map((body) => [body, type] as const)
    for (const [body, of] of [...parts, [whole, 'text/html'], [whole, '']] as const) {
      expect(() => onlyPart(Buffer.from(body), of)).to.throw(InputError, 'something else than the one DICOM file')
    }
    fc.assert(fc.property(fc.uint8Array(), fc.string(), (body, of) => {
      try {
        onlyPart(Buffer.from(body), of)
      } catch (error) {
        expect(error).to.be.instanceOf(InputError)
      }
    }))
  })
})
