/** One thing to install in Elasticsearch: PUT `body` to `path`. */
export interface ElasticAsset {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const keyword = { type: 'keyword', ignore_above: 1024 };
const text = { type: 'match_only_text' };
/** Stored and shown, not searched: long texts and structures that others wrote. */
const opaque = { type: 'object', enabled: false };
/** How a chain of alerts stands, or ended. */
const chainEnd = { id: keyword, length: { type: 'long' }, digest: keyword };

/** Our own fields. What ECS names is mapped by Elasticsearch's `ecs@mappings`. */
const launchwardenFields = {
  properties: {
    alert: {
      properties: {
        id: keyword,
        kind: keyword,
        severity: keyword,
        priority: { properties: { score: { type: 'long' }, level: keyword, reasons: opaque } },
        workflow: {
          properties: {
            status: keyword,
            reason: keyword,
            assignee: keyword,
            tags: keyword,
            changed: { type: 'date' },
            changed_by: keyword,
            history: opaque,
          },
        },
        settled: { properties: { reason: keyword, text } },
        revision: { type: 'long' },
        repeats: { type: 'long' },
        suppressed: { type: 'long' },
        user: keyword,
        candidate_count: { type: 'long' },
        candidates: opaque,
        join_keys: keyword,
        sensors: keyword,
        file_event_id: keyword,
        process_event_id: keyword,
      },
    },
    escalation: {
      properties: {
        alert: keyword,
        author: keyword,
        ticket: keyword,
        note: text,
        timeline: opaque,
        investigation: opaque,
        versions: opaque,
        evidence: opaque,
        left_out: text,
      },
    },
    story: { properties: { stage: keyword, since: { type: 'date' }, says: text } },
    chain: {
      properties: {
        id: keyword,
        index: { type: 'long' },
        previous: keyword,
        content: keyword,
        digest: keyword,
        revised: keyword,
        before: { properties: chainEnd },
      },
    },
    rule: {
      properties: {
        interval: keyword,
        from: keyword,
        max_signals: { type: 'long' },
        references: keyword,
        false_positives: text,
        note: text,
        setup: text,
        query: text,
        file: keyword,
      },
    },
    plist: {
      properties: {
        format: keyword,
        label: keyword,
        program: keyword,
        program_arguments: keyword,
        other_labels: keyword,
        runs: keyword,
        own_code: keyword,
        run_at_load: { type: 'boolean' },
        keep_alive: { type: 'boolean' },
        disabled: { type: 'boolean' },
        user_name: keyword,
        triggers: keyword,
        json: text,
        code_signature: {
          properties: {
            exists: { type: 'boolean' },
            trusted: { type: 'boolean' },
            status: keyword,
            signing_id: keyword,
            team_id: keyword,
            subject_name: keyword,
          },
        },
      },
    },
    persistence: {
      properties: {
        mechanism: keyword,
        item_id: keyword,
        path: keyword,
        label: keyword,
        runs: keyword,
        when: keyword,
        as: keyword,
        enabled: { type: 'boolean' },
        entries: { type: 'long' },
        techniques: keyword,
      },
    },
    job: {
      properties: {
        label: keyword,
        domain: keyword,
        plist_path: keyword,
        path: keyword,
        program: keyword,
        state: keyword,
        pid: { type: 'long' },
      },
    },
    launchctl: {
      properties: {
        by: keyword,
        verb: keyword,
        effect: keyword,
        labels: keyword,
        paths: keyword,
        outside: { type: 'boolean' },
      },
    },
    findings: keyword,
    truncated: { type: 'boolean' },
    status: {
      properties: {
        action: keyword,
        sensor: keyword,
        reason: keyword,
        detail: text,
        lost: { type: 'long' },
        destination: keyword,
        next: { type: 'date' },
        not_seen: text,
        since: { type: 'date' },
        verdict: keyword,
        before: keyword,
        reasons: text,
        begun: text,
        ended: text,
        dead_letters: { type: 'long' },
        evicted_alerts: { type: 'long' },
        evicted_events: { type: 'long' },
        document_ids: keyword,
        chain: { properties: { ...chainEnd, before: { properties: chainEnd } } },
        health: opaque,
      },
    },
  },
} as const;

/**
 * What our data streams need in Elasticsearch: a pipeline that sets `event.ingested` (Elastic's External Alerts rule
 * reads it as its clock), mappings of our own fields, and a template above the built-in one of `logs-*-*` (priority
 * 100). Raw events use the assets of Elastic's own endpoint package, which Kibana installs.
 */
export function elasticAssets(): ElasticAsset[] {
  return [
    {
      path: '/_ingest/pipeline/logs-launchwarden',
      body: {
        description: 'Notes when a launchwarden document arrived',
        processors: [{ set: { field: 'event.ingested', value: '{{{_ingest.timestamp}}}' } }],
      },
    },
    {
      path: '/_component_template/logs-launchwarden@mappings',
      body: {
        template: {
          mappings: {
            properties: {
              launchwarden: launchwardenFields,
              // Whole events as they were, nested in the alert: to be read, not searched.
              Events: opaque,
            },
          },
        },
        _meta: { description: "launchwarden's own fields" },
      },
    },
    {
      path: '/_index_template/logs-launchwarden',
      body: {
        index_patterns: ['logs-launchwarden.*-*'],
        data_stream: {},
        priority: 250,
        composed_of: ['logs@mappings', 'logs@settings', 'ecs@mappings', 'logs-launchwarden@mappings'],
        ignore_missing_component_templates: ['logs@mappings', 'logs@settings', 'ecs@mappings'],
        template: { settings: { index: { default_pipeline: 'logs-launchwarden' } } },
        _meta: { description: 'Alerts and status of launchwarden' },
      },
    },
  ];
}
