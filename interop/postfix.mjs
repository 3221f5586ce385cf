/** Postfix: its configuration, its queue, and what its log says. Each fact about the log is one of Postfix 3.7. */
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DOMAINS,
  GONE,
  HASTE,
  MESSAGE_LIMIT,
  NOBODY,
  RECIPIENT_LIMIT,
  SIZE_LIMIT,
} from './accounts.mjs';

const MECHANISMS = 'PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512';
const GROUP = 'postdrop';

export const postfix = {
  name: 'postfix',
  packages: ['postfix', 'sasl2-bin'],
  account: 'postfix',
  /** Its programs want a group that is nobody's. */
  group: GROUP,
  log: 'log/mail.log',
  version: (ask) => ask('usr/sbin/postconf', ['-d', '-h', 'mail_version']),

  /** Writes the configuration and makes the queue. */
  write(around) {
    const { place, account } = around;
    for (const folder of ['etc', 'etc/sasl', 'log', 'data', 'queue', 'queue/pid'])
      mkdirSync(join(place, folder));
    chownSync(join(place, 'data'), account.uid, account.gid);
    for (const folder of QUEUE) {
      mkdirSync(join(place, 'queue', folder), { mode: OPEN.includes(folder) ? 0o730 : 0o700 });
      chownSync(join(place, 'queue', folder), account.uid, account.gid);
    }
    writeFileSync(join(place, 'etc/main.cf'), mainOf(around));
    writeFileSync(join(place, 'etc/master.cf'), masterOf(around));
    writeFileSync(join(place, 'etc/known'), `!/^${NOBODY}/ box/\n`);
    writeFileSync(join(place, 'etc/delivered'), `!/^(${NOBODY}|${GONE})/ box/\n`);
    // Debian's Postfix looks for it there, whatever cyrus_sasl_config_path is.
    writeFileSync(
      join(place, 'etc/sasl/smtpd.conf'),
      `pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: ${place}/passwords
mech_list: ${MECHANISMS}
`,
    );
  },

  /** What is started, from which nothing detaches itself. */
  command: ({ place }) => ['usr/lib/postfix/sbin/master', '-c', join(place, 'etc'), '-s'],
  environment: ({ programs }) => ({ LD_LIBRARY_PATH: join(programs, 'usr/lib/postfix') }),

  /** How many messages are not done with. */
  queued: ({ place }) =>
    ['incoming', 'active', 'deferred'].reduce((sum, folder) => {
      const found = readdirSync(join(place, 'queue', folder), {
        recursive: true,
        withFileTypes: true,
      });
      return sum + found.filter((entry) => entry.isFile()).length;
    }, 0),

  /** The commands that it has read. */
  commands: (log) =>
    [...log.matchAll(/ postfix\/\w*smtpd\[\d+\]: < \S+: ((?:[A-Z]{4}|STARTTLS)\b.*)$/gm)].map(
      ([, command]) => command,
    ),

  /** The messages that it has accepted by SMTP, in the order of its replies, by their Message-ID. */
  accepted(log) {
    const names = new Map(
      [...log.matchAll(/ postfix\/cleanup\[\d+\]: (\w+): message-id=(.*)$/gm)].map(
        ([, id, name]) => [id, name],
      ),
    );
    return [...log.matchAll(/ > \S+: 250 2\.0\.0 Ok: .*queued as (\w+)$/gm)].map(([, id]) =>
      names.get(id),
    );
  },

  /** Whether each connection of a log is over. */
  isQuiet: ({ log }) =>
    log.match(/smtpd\[\d+\]: connect from /g)?.length ===
    log.match(/smtpd\[\d+\]: disconnect from /g)?.length,

  /** A local part that RFC 5321 §4.1.2 has only in quotes is given them. */
  written: (address) =>
    /(^\.|\.\.|\.@)[^"]*$/.test(address) ? address.replace(/^(.*)(?=@)/, '"$1"') : address,

  /** How many messages it has accepted by BDAT. */
  chunked: (log) => log.match(/ < \S+: BDAT \d+ LAST$/gm)?.length ?? 0,

  /** Who has authenticated, and by what, for each message that was begun. */
  authenticated: (log) =>
    [...log.matchAll(/ client=\S+, sasl_method=(\S+), sasl_username=(.+)$/gm)].map(
      ([, mechanism, user]) => `${mechanism} ${user}`,
    ),

  /** How many recipients could not be delivered to, for good. */
  failed: (log) => log.match(/: to=.* status=bounced /g)?.length ?? 0,

  /** What is delivered of a message without an octet. */
  nothing: '',

  /** What it answers to VRFY. */
  verified: 252,

  /** Whether it has taken content for commands. */
  readAsCommands: () => false,

  /** How many TLS sessions were resumed. */
  resumed: (log) => log.match(/: Reusing old session/g)?.length ?? 0,

  /** What it has not got over is among the complaints. */
  panics: () => '',

  /** Lines that nobody expects who has done nothing wrong. */
  complaints: (log) =>
    log
      .split('\n')
      .filter((line) => / (warning|error|fatal|panic): |improper command pipelining/.test(line)),

  /** What stands in front of a message that is delivered: where it came from, whom it is for. */
  added:
    /^Return-Path: <(.*)>\nX-Original-To: (.*)\nDelivered-To: .*\nReceived: .*\n(?:[\t ].*\n)*/,
};

const OPEN = ['maildrop', 'public'];
const QUEUE = [
  ...['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming'],
  ...['private', 'saved', 'trace', ...OPEN],
];

const mainOf = ({ place, programs, account, certificate }) => `compatibility_level = 3.6
config_directory = ${place}/etc
meta_directory = ${place}/etc
queue_directory = ${place}/queue
data_directory = ${place}/data
daemon_directory = ${programs}/usr/lib/postfix/sbin
command_directory = ${programs}/usr/sbin
shlib_directory = ${programs}/usr/lib/postfix
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C
mail_owner = ${postfix.account}
setgid_group = ${GROUP}

maillog_file = ${place}/${postfix.log}
maillog_file_prefixes = ${place}
# Each command and each reply is in the log.
debug_peer_list = 127.0.0.1
debug_peer_level = 1

inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
myhostname = localhost
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
# What is submitted is not completed or rewritten.
local_header_rewrite_clients =
virtual_mailbox_domains = ${DOMAINS.join(' ')}
virtual_mailbox_base = ${place}
virtual_mailbox_maps = regexp:${place}/etc/known
virtual_uid_maps = static:${account.uid}
virtual_gid_maps = static:${account.gid}
in_flow_delay = 0

message_size_limit = ${SIZE_LIMIT}
smtpd_recipient_limit = ${RECIPIENT_LIMIT}
smtpd_relay_restrictions = permit_sasl_authenticated reject
smtpd_error_sleep_time = 0

smtpd_tls_security_level = may
smtpd_tls_chain_files = ${certificate('good')}
smtpd_tls_loglevel = 2
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
`;

/** What is other than in main.cf, for each port. */
const SERVICES = ({ certificate }) => ({
  starttls: [],
  implicit: ['smtpd_tls_wrappermode=yes'],
  plain: ['smtpd_tls_security_level=none', 'smtpd_tls_auth_only=no'],
  ascii: ['smtputf8_enable=no'],
  elsewhere: [`smtpd_tls_chain_files=${certificate('wrong-host')}`],
  expired: [`smtpd_tls_chain_files=${certificate('expired')}`],
  certified: [
    'smtpd_tls_ask_ccert=yes',
    `smtpd_tls_CAfile=${certificate('client')}`,
    'smtpd_relay_restrictions=permit_tls_all_clientcerts,reject',
  ],
  hasty: [`smtpd_timeout=${HASTE}s`],
  frugal: [
    `smtpd_client_message_rate_limit=${MESSAGE_LIMIT}`,
    'smtpd_client_event_limit_exceptions=',
  ],
});

const masterOf = (around) => `${Object.entries(SERVICES(around))
  .map(
    ([name, options]) =>
      `127.0.0.1:${around.ports[name]} inet n - n - - smtpd${options
        .map((option) => `\n  -o ${option}`)
        .join('')}`,
  )
  .join('\n')}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
  -o virtual_mailbox_maps=regexp:${around.place}/etc/delivered
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
