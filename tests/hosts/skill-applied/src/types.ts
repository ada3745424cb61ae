export type OnText = (chat: string, text: string) => void;

export interface Channel {
  name: string;
  connect(): Promise<void>;
  sendMessage(chat: string, text: string): Promise<void>;
  isConnected(): boolean;
  disconnect(): Promise<void>;
}
