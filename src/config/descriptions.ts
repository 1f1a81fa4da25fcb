/**
 * What each key of the configuration means, one sentence or two: the one place that editors (`config schema`), device
 * management (`config manifest`), `config init` and docs/config.md take it from. A key is its dotted path; keys of
 * a destination stand below its type. `~tls.ca` stands for every `tls.ca`, wherever it is.
 */
export const descriptions: Readonly<Record<string, string>> = {
  data_dir:
    'Where databases, evidence and the policy are kept. It must be the own folder of whoever runs the agent.',

  log: 'What the agent writes down about itself.',
  'log.level': 'The least important lines that are written.',
  'log.file': 'Appended to; standard error when absent.',

  sensors: 'What sees processes and files.',
  'sensors.tier': 'How processes are seen; "auto" takes the best that this Mac allows.',
  'sensors.disabled': 'Sensors that are never started, whatever the tier.',

  watch: 'Which places are watched.',
  'watch.mechanisms':
    'Every place in which something can persist, beside the paths that rules name; false: only what rules name.',

  rules: 'Which detection rules run.',
  'rules.builtin': 'The rules that come with the program.',
  'rules.folders': 'Folders or files of further rules. A relative one stands beside the configuration file.',
  'rules.disabled': 'Ids of rules that are switched off.',
  'rules.enabled': 'Ids of rules that are off by default and switched on.',

  exceptions: 'What needs no alert.',
  'exceptions.folder': 'Folder of files of exceptions. A relative one stands beside the configuration file.',
  'exceptions.packs': "Exceptions that come with the program, each bound to its vendor's signature.",

  detect: 'How alerts are made.',
  'detect.close_updates':
    'An alert about an update of a known item about which nothing is odd is closed by the agent itself.',

  scan: 'What alerts are about is scanned by hash lists and YARA rules, once some are named.',
  'scan.alerts': 'Whether the agent scans what an alert is about.',
  'scan.hashes': 'Files of SHA-256 hashes, one a line. A relative one stands beside the configuration file.',
  'scan.yara': 'Files of YARA rules, and folders that hold them (.yar, .yara).',
  'scan.max_file': 'A larger file is only hashed.',
  'scan.memory': 'What YARA may take up.',
  'scan.file_time': "YARA's time for one file.",

  policy: 'A signed bundle of settings and rules that this Mac fetches (docs/policy.md).',
  'policy.url': 'Where the bundle lies, https. Without it no policy is fetched, and none is in force.',
  'policy.public_key': 'The key that signs the bundle, as "launchwarden policy keygen" prints it.',
  'policy.public_keys': 'Further keys that may sign it: while one replaces another, both.',
  'policy.interval':
    'How often the bundle is asked for, once a minute at most; each Mac varies it by a tenth.',

  respond: 'What the agent may do about an alert.',
  'respond.automatic': 'What happens by itself when a rule alerts; nothing when absent.',
  'respond.automatic.rule': 'Id or name of a rule.',
  'respond.automatic.action': 'What is done.',
  'respond.automatic.shadow': 'Only tells, on the alert, what it would have done.',
  'respond.per_hour': 'Automatic responses within any hour; what comes beyond is left to a person.',
  'respond.isolation': 'Cutting this Mac off from the network.',
  'respond.isolation.enabled': 'Without it "respond isolate" is refused.',
  'respond.isolation.allow':
    'Hosts, addresses and networks that stay reachable, beside the destinations: device management, a jump host.',
  'respond.isolation.dns':
    'Whether names can be looked up (port 53, any server). Destinations that are named by name need it.',
  'respond.isolation.revert': 'It is lifted after this, also when everything was restarted meanwhile.',

  canary: 'The agent proves its whole chain by a harmless launch item (docs/canary.md).',
  'canary.every': 'How often it does so by itself; never when absent. Not more often than once a minute.',

  retention: 'How long things are kept.',
  'retention.events': 'Raw events: the oldest go first. Alerts embed theirs and lose nothing.',
  'retention.evidence': 'Copies of what was planted: property lists, small files.',
  'retention.closed_alerts': 'Closed alerts are forgotten after this.',

  budget: 'What the agent may take of this Mac.',
  'budget.cpu':
    'What it may use of one processor, over half a minute: above it, work of little worth is left out, and said.',
  'budget.memory': 'What it may use of memory.',
  'budget.worker_cpu':
    'What each program that the agent runs, eslogger say, may use of one processor: above it, it is started anew.',
  'budget.worker_memory': 'What each of them may use of memory.',

  forward: 'What concerns all destinations.',
  'forward.heartbeat': 'How often a heartbeat goes to every destination.',
  'forward.dead_rows': 'Documents that no receiver takes: so many are kept.',
  'forward.dead_age': 'They are kept for so long.',
  'forward.parked_age':
    'How long documents of a destination that was taken out of the configuration wait for it.',

  destination: 'Where alerts go, one table a destination (docs/forwarding.md).',
  '~type': 'The kind of destination.',
  '~name': 'Names it in "forward status" and in the queue; the type when absent.',
  '~simulated': 'Lets events of a --root tree out to a network destination.',
  '~raw_events':
    "Raw events that go there too: none, those around an alert, or all in the streams that Elastic's own rules read.",
  '~queue': 'What may wait for it.',
  '~queue.event_rows': 'Raw events that may wait.',
  '~queue.event_bytes': 'Bytes of raw events that may wait.',
  '~queue.alert_rows': 'Alerts that may wait.',
  '~queue.alert_bytes': 'Bytes of alerts that may wait.',
  '~queue.when_full': 'Which raw events are given up when the queue is full; counted and told.',
  '~tls': 'How the connection is encrypted.',
  '~tls.ca':
    'PEM file of the roots to trust, or "system" for those of the machine; Node.js\'s own list when absent.',
  '~tls.cert': "PEM file of the client's certificate.",
  '~tls.key': 'PEM file of its key.',
  '~tls.key_passphrase': 'Reference to the passphrase of that key.',
  '~tls.server_name':
    "The name that the server's certificate must carry; the host of the address when absent.",
  '~tls.min_version': 'The oldest version of TLS that is spoken.',
  '~tls.pin_spki_sha256': "Base64 SHA-256 of the server's public key (SPKI); one of them must match.",
  '~proxy':
    'http://[user@]host:port; "none" ignores the environment\'s HTTPS_PROXY and the system\'s setting.',
  '~proxy_password': 'Reference to the password of the proxy.',
  '~timeout': 'How long one request may take.',
  '~batch_items': 'Documents in one request.',
  '~batch_bytes': 'Bytes in one request, before compression.',
  '~gzip': 'Whether requests are compressed.',
  '~headers': 'Further headers of each request.',
  '~secret_headers': 'Further headers whose value is a reference to a secret.',

  'destination.file.path':
    'The live file, or an existing folder that gets alerts.ndjson. Its name never changes while it is written.',
  'destination.file.rotate_bytes': 'The live file moves to archive/ beside it when it has grown to this.',
  'destination.file.keep': 'Archived files kept.',
  'destination.file.max_line_bytes':
    'A longer document loses its bulky parts first: readers cut or drop long lines.',
  'destination.file.mode': 'Mode of the files, octal.',

  'destination.elasticsearch.url': 'The address of Elasticsearch, without /_bulk.',
  'destination.elasticsearch.api_key':
    'Reference to the API key as Elasticsearch gives it out (base64 of id:key).',
  'destination.elasticsearch.user': 'User name, where there is no API key.',
  'destination.elasticsearch.password': 'Reference to the password of that user.',
  'destination.elasticsearch.namespace': "Third part of the data streams' names.",

  'destination.splunk.url': 'Scheme, host and port of the HTTP Event Collector.',
  'destination.splunk.token': 'Reference to the token.',
  'destination.splunk.index': "The index; the token's own when absent.",
  'destination.splunk.source': 'The source that events carry.',
  'destination.splunk.ack':
    'Indexer acknowledgement: used when the receiver offers it, required, or never asked for.',
  'destination.splunk.ack_timeout': 'How long to wait for an acknowledgement before a batch is sent again.',

  'destination.syslog.address': 'host:port of the receiver.',
  'destination.syslog.transport': 'Encrypted or not.',
  'destination.syslog.confirm':
    'What counts as delivered: that the receiver closes in order once it has read everything ("eof": without TLS\'s closing alert), RELP\'s answer, or (unsafe) that the text was written.',
  'destination.syslog.format': 'What a message holds.',
  'destination.syslog.framing': 'RFC 6587: the length before each message, or a line feed after it.',
  'destination.syslog.max_message_bytes':
    'Longer messages lose their bulky parts: rsyslog cuts at 8 KiB unless told otherwise.',
  'destination.syslog.facility': 'Syslog facility number; 10 is authpriv.',
  'destination.syslog.app_name': 'Application name in the header.',
  'destination.syslog.hostname': "Host name in the header; the machine's when absent.",

  'destination.webhook.url': 'Where requests go.',
  'destination.webhook.format':
    'One document a request, an array of them, or one a line; or a message as Slack, Teams or PagerDuty take it.',
  'destination.webhook.routing_key': "Reference to PagerDuty's integration key.",
  'destination.webhook.accept_html':
    'Takes a 2xx with an HTML page for an acknowledgement; else it is a login page or a portal on the way.',
  'destination.webhook.hmac_secrets':
    'References to keys that sign each request; several while one replaces another.',
  'destination.webhook.insecure': 'Allows http to another machine.',

  'destination.otlp.url': 'Base of the collector; /v1/logs is added when the URL has no path.',

  'destination.kafka.brokers': 'host:port of each broker. Needs the package kafkajs.',
  'destination.kafka.topic': 'Topic of alerts.',
  'destination.kafka.status_topic': 'Topic of heartbeats, gaps and losses.',
  'destination.kafka.event_topic': 'Topic of raw events.',
  'destination.kafka.sasl': 'How the brokers know us.',
  'destination.kafka.sasl.mechanism': 'The mechanism of SASL.',
  'destination.kafka.sasl.user': 'User name.',
  'destination.kafka.sasl.password': 'Reference to the password.',

  'destination.module.path':
    "Absolute path of an ES module whose default export makes the destination. It runs with the agent's rights, so nobody but its owner may write to it.",
  'destination.module.settings': 'Handed to the module as they are.',

  'destination.notification.least': 'Alerts of a lower priority are not told.',
  'destination.notification.most': 'Notifications in ten minutes; further alerts are counted in one more.',
  'destination.notification.timeout': 'How long macOS may take to show one.',
};

/** The key of `descriptions` that says what a path means: the path itself, else the longest `~` that ends like it. */
export function descriptionKey(path: readonly string[]): string | undefined {
  const whole = path.join('.');
  if (Object.hasOwn(descriptions, whole)) return whole;
  return path
    .map((_, index) => `~${path.slice(index).join('.')}`)
    .find((key) => Object.hasOwn(descriptions, key));
}
