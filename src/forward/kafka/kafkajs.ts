/** The part of kafkajs 2 that is used; the package itself is an optional peer and is not there to take types from. */
export interface KafkaModule {
  readonly Kafka: new (config: Record<string, unknown>) => KafkaClient;
  readonly CompressionTypes: { readonly GZIP: number };
  readonly logLevel: { readonly NOTHING: number };
}

export interface KafkaClient {
  producer(config: Record<string, unknown>): KafkaProducer;
  admin(): KafkaAdmin;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(record: {
    topic: string;
    acks: number;
    timeout: number;
    compression: number;
    messages: { key: string | null; value: string; headers: Record<string, string> }[];
  }): Promise<unknown>;
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  fetchTopicMetadata(options: { topics: string[] }): Promise<unknown>;
}
