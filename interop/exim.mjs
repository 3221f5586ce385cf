/** Exim: its configuration, its queue, and what its log says. Each fact about the log is one of Exim 4.96. */
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  accounts,
  DOMAINS,
  GONE,
  HASTE,
  MESSAGE_LIMIT,
  NOBODY,
  RECIPIENT_LIMIT,
  SIZE_LIMIT,
} from './accounts.mjs';

export const exim = {
  name: 'exim',
  packages: ['exim4-daemon-heavy', 'sasl2-bin'],
  /** Built in. */
  account: 'Debian-exim',
  group: undefined,
  log: 'log/mainlog',
  version: (ask) => /^Exim version (\S+)/.exec(ask('usr/sbin/exim4', ['-bV']))?.[1],

  /** Writes the configuration. */
  write(around) {
    const { place, account } = around;
    for (const folder of ['sasl', 'log', 'spool']) {
      mkdirSync(join(place, folder));
      chownSync(join(place, folder), account.uid, account.gid);
    }
    writeFileSync(join(place, 'exim.conf'), configurationOf(around));
    writeFileSync(
      join(place, 'sasl/accounts'),
      accounts.map(({ user, pass }) => `${user}: ${pass}\n`).join(''),
    );
    writeFileSync(
      join(place, 'sasl/exim.conf'),
      `pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: ${place}/passwords
`,
    );
  },

  /** What is started, from which nothing detaches itself. */
  command: ({ place }) => ['usr/sbin/exim4', '-C', join(place, 'exim.conf'), '-bdf'],
  environment: () => ({}),

  /** How many messages are not done with. */
  queued({ place }) {
    const folder = join(place, 'spool/input');
    return existsSync(folder)
      ? readdirSync(folder).filter((name) => name.endsWith('-H')).length
      : 0;
  },

  /** The commands that it has read. */
  commands: (log) => [...log.matchAll(/ C: (.*)$/gm)].map(([, command]) => command),

  /** The messages that it has accepted by SMTP, in the order of the log, by their Message-ID. */
  accepted: (log) =>
    [...log.matchAll(/ <= .* P=(?:utf8)?e?smtp\S* .*$/gm)].map(
      ([line]) => `<${/ id=(\S+)/.exec(line)?.[1] ?? ''}>`,
    ),

  /** Whether each connection is over. Each has a process of its own, and each delivery too. */
  isQuiet: ({ processes }) => processes === 1,

  written: (address) => address,

  /** How many messages it has accepted by BDAT. */
  chunked: (log) => log.match(/ <= .* K (?=.*S=\d)/g)?.length ?? 0,

  /** Who has authenticated, and by what, for each message that was accepted. */
  authenticated: (log) =>
    [...log.matchAll(/ <= .* A=([^: ]+):?(\S*)/gm)].map(([, mechanism, user]) =>
      `${mechanism.replaceAll('_', '-')} ${user}`.trim(),
    ),

  /** How many recipients could not be delivered to, for good. */
  failed: (log) => log.match(/ \*\* \S+/g)?.length ?? 0,

  /** What is delivered of a message without an octet. */
  nothing: '\r\n',

  /** What it answers to VRFY. */
  verified: 250,

  /** Whether it has taken content for commands. */
  readAsCommands: (log) => / unrecognized command$/m.test(log),

  /** How many TLS sessions were resumed. */
  resumed: (log) => log.match(/ X=\S+\* /g)?.length ?? 0,

  /** What it has not got over. */
  panics({ place }) {
    const file = join(place, 'log/paniclog');
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  },

  /** Lines that nobody expects who has done nothing wrong. */
  complaints: (log) =>
    log
      .split('\n')
      .filter((line) =>
        /TLS error|synchronization|SMTP (?:syntax|protocol) error|authenticator failed/i.test(line),
      ),

  /** What stands in front of a message that is delivered: where it came from, whom it is for. */
  added: /^Return-path: <(.*)>\nEnvelope-to: (.*)\nDelivery-date: .*\nReceived: .*\n(?:[\t ].*\n)*/,
};

/** A value for one port, and another for all the others. */
const onPort = (port, value, other) => `\${if eq{$received_port}{${port}}{${value}}{${other}}}`;

const logged = (name, also = '') => `${name}:
  warn logwrite = C: $smtp_command
${also}  accept
`;

/** A table of the accounts. */
const passwordOf = (place, user) => `\${lookup{${user}}lsearch{${place}/sasl/accounts}}`;

const byCyrus = (mechanism) => `${mechanism.replaceAll('-', '_')}:
  driver = cyrus_sasl
  public_name = ${mechanism}
  server_realm = example.com
  server_set_id = $auth1
`;

const configurationOf = ({
  place,
  programs,
  ports,
  certificate,
}) => `exim_path = ${programs}/usr/sbin/exim4
spool_directory = ${place}/spool
log_file_path = ${place}/log/%slog
pid_file_path = ${place}/spool/exim.pid
# All of it runs as Exim's own user, deliveries too.
deliver_drop_privilege = true
keep_environment =
add_environment = SASL_CONF_PATH=${place}/sasl
log_selector = +smtp_syntax_error +smtp_protocol_error +pipelining +tls_resumption +8bitmime +received_recipients -dnssec

daemon_smtp_ports = ${Object.values(ports).join(' : ')}
tls_on_connect_ports = ${ports.implicit}
local_interfaces = 127.0.0.1
primary_hostname = localhost
host_lookup =
rfc1413_hosts =
smtp_accept_max = 100
smtp_accept_max_per_connection = ${onPort(ports.frugal, MESSAGE_LIMIT, 1000)}
# Deliver at once, also the eleventh message of a connection.
smtp_accept_queue_per_connection = 0
smtp_receive_timeout = ${onPort(ports.hasty, `${HASTE}s`, '5m')}

message_size_limit = ${SIZE_LIMIT}
recipients_max = ${RECIPIENT_LIMIT}
dsn_advertise_hosts = *
prdr_enable = true
allow_utf8_domains = true
smtputf8_advertise_hosts = ${onPort(ports.ascii, '', '*')}

tls_advertise_hosts = ${onPort(ports.plain, '', '*')}
tls_certificate = ${onPort(
  ports.elsewhere,
  certificate('wrong-host'),
  onPort(ports.expired, certificate('expired'), certificate('good')),
)}
tls_try_verify_hosts = ${onPort(ports.certified, '*', '')}
tls_verify_certificates = ${certificate('client')}
tls_resumption_hosts = *
auth_advertise_hosts = \${if or{{def:tls_in_cipher}{eq{$received_port}{${ports.plain}}}}{*}{}}

acl_smtp_connect = opened
acl_smtp_helo = hello
acl_smtp_auth = auth
acl_smtp_starttls = starttls
acl_smtp_mail = mail
acl_smtp_rcpt = recipient
acl_smtp_predata = content
acl_smtp_data_prdr = each
acl_smtp_data = accepted
acl_smtp_vrfy = verify
acl_smtp_quit = quit
domainlist here = ${DOMAINS.join(' : ')}

begin acl
opened:
  accept
${logged('hello')}
auth:
  warn logwrite = C: AUTH \${extract{2}{ }{$smtp_command}}
  accept
${logged('starttls')}
${logged('mail')}
${logged(
  'recipient',
  `  deny !authenticated = *
       !condition = \${if eq{$tls_in_certificate_verified}{1}}
       message = 5.7.1 Who are you?
  deny domains = !+here
       message = 5.7.1 No relay
  deny local_parts = ^${NOBODY}
       message = 5.1.1 There is no such user
`,
)}
${logged('content')}
each:
  deny condition = \${if match{$local_part}{^hesitant}}
       message = 5.7.1 I have thought better of it
  accept
accepted:
  accept
${logged('verify')}
${logged('quit')}

begin routers
gone:
  driver = redirect
  local_parts = ^${GONE}
  data = :fail: There is no such user any more
box:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  directory = ${place}/box
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{$auth3}{${passwordOf(place, '$auth2')}}}
  server_set_id = $auth2
LOGIN:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if eq{$auth2}{${passwordOf(place, '$auth1')}}}
  server_set_id = $auth1
CRAM_MD5:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${lookup{$auth1}lsearch{${place}/sasl/accounts}{$value}fail}
  server_set_id = $auth1
${['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map(byCyrus).join('')}
EXTERNAL:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = \${if eq{$tls_in_certificate_verified}{1}}
  server_param2 = \${certextract {subject,CN}{$tls_in_peercert}}
  server_condition = \${if eq{$auth2}{client}}
  server_set_id = $auth2
`;
