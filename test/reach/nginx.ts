import { writeFile } from 'node:fs/promises'
import type { Network } from './network.ts'

const CERTIFICATE = 'openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=site.example'
const ANNOUNCE = ['/dns4/site.example/tcp/443/tls/ws/http-path/consilium']

interface Way {
  readonly announce: string[]
  readonly listen: string[]
  readonly reverseProxy: string[]
}

/** A certificate of the site's own making, and its key. */
export async function certify (network: Network, host: string): Promise<{ key: string, cert: string }> {
  const { folder } = network.sites
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`]
  await network.sh(host, `${CERTIFICATE} -keyout ${key} -out ${cert} 2> /dev/null`)
  return { key, cert }
}

/** A TLS reverse proxy with a path, in front of a site that listens on loopback alone: how that site starts, and how others join it. */
export async function behindNginx (network: Network, host: string): Promise<Way> {
  const { folder } = network.sites
  const { key, cert } = await certify(network, host)
  await writeFile(`${folder}/nginx.conf`, `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
    events {} http { access_log off; server { listen 443 ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
    location /consilium { proxy_pass http://127.0.0.1:4002/; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Connection upgrade; proxy_read_timeout 1h; } } }`)
  network.spawn(host, ['sh', '-c', `ip link set lo up; exec nginx -c ${folder}/nginx.conf`], 'nginx')
  return { announce: ANNOUNCE, listen: ['/ip4/127.0.0.1/tcp/4002/ws'], reverseProxy: ['127.0.0.1'] }
}
