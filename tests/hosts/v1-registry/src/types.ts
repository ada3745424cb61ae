export interface Channel {
  name: string;
  connect(): Promise<void>;
  sendMessage(to: string, text: string): Promise<void>;
  isConnected(): boolean;
  owns(to: string): boolean;
  disconnect(): Promise<void>;
}

export type OnText = (from: string, text: string) => void;
