/** Passes the datagrams of two tunnel ends on to each other, late, and loses some of them: a long line, where the kernel has no netem. */
import { createSocket } from 'node:dgram'

/** Headers of VXLAN and Ethernet; what follows is an IP packet. */
const HEADERS = 22
const IPV4 = 0x0800
const TCP = 6

const [port, delayMs, lossPercent, ...ends] = process.argv.slice(2)
const socket = createSocket('udp4')
socket.on('message', (datagram, { address }) => {
  if (Math.random() * 100 < Number(lossPercent)) return
  fillChecksum(datagram)
  const other = ends.find((end) => end !== address)
  setTimeout(() => { socket.send(datagram, Number(port), other) }, Number(delayMs))
})
socket.bind(Number(port))

/** The kernel leaves the checksum to a network card, and a tunnel into this process meets none. */
function fillChecksum (datagram: Buffer): void {
  if (datagram.readUInt16BE(HEADERS - 2) !== IPV4 || datagram[HEADERS + 9] !== TCP) return
  const from = HEADERS + 4 * (datagram[HEADERS]! & 15)
  const to = HEADERS + datagram.readUInt16BE(HEADERS + 2)
  datagram.writeUInt16BE(0, from + 16)
  let sum = TCP + to - from
  for (let at = HEADERS + 12; at < HEADERS + 20; at += 2) sum += datagram.readUInt16BE(at)
  for (let at = from; at < to; at += 2) sum += datagram[at]! * 256 + (at + 1 < to ? datagram[at + 1]! : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  datagram.writeUInt16BE(~sum & 0xffff, from + 16)
}
