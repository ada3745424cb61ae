export interface Inbound {
  id: string;
  sender: string;
  text: string;
  timestamp: string;
}

export interface OutboundFile {
  filename: string;
  data: Buffer;
}

export interface Outbound {
  content: { text?: string; operation?: 'reaction'; messageId?: string; emoji?: string };
  files?: OutboundFile[];
}

export interface ChannelSetup {
  onInbound(platformId: string, message: Inbound): void;
}

export interface ChannelAdapter {
  name: string;
  setup(config: ChannelSetup): Promise<void>;
  teardown(): Promise<void>;
  isConnected(): boolean;
  deliver(platformId: string, message: Outbound): Promise<string | undefined>;
  setTyping?(platformId: string): Promise<void>;
}

export interface ChannelRegistration {
  /** Null when the channel is installed but not set up. */
  factory: () => ChannelAdapter | null;
}
