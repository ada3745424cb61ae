// The server's half of WhatsApp's Noise_XX_25519_AESGCM_SHA256 handshake, as far as Baileys
// checks it: hello, hello with a certificate chain, finish. Then frames of binary nodes.
import {
  Curve,
  NOISE_MODE,
  NOISE_WA_HEADER,
  aesDecryptGCM,
  aesEncryptGCM,
  decodeBinaryNode,
  encodeBinaryNode,
  hkdf,
  proto,
  sha256,
} from '@whiskeysockets/baileys';

const NOTHING = Buffer.alloc(0);
const { NoiseCertificate } = proto.CertChain;

/** The keys of a server; a client accepts it once `root.public` is its trusted key. */
export function makeIdentity() {
  const [root, intermediate, leaf] = [1, 2, 3].map(() => Curve.generateKeyPair());
  const certificate = (serial, key, issuer) => {
    // Baileys does not look at the dates, whatsmeow does.
    const valid = { notBefore: 1, notAfter: Date.UTC(2100) / 1000 };
    const fields = { serial, issuerSerial: serial - 1, key: key.public, ...valid };
    const details = Buffer.from(NoiseCertificate.Details.encode(fields).finish());
    return { details, signature: Curve.sign(issuer.private, details) };
  };
  const chain = proto.CertChain.encode({
    intermediate: certificate(1, intermediate, root),
    leaf: certificate(2, leaf, intermediate),
  });
  return { root, leaf, chain: Buffer.from(chain.finish()) };
}

/** One connection: `received` bytes in, `write` bytes out, `onLogin` and `onNode` in between. */
export class Line {
  #identity;
  #write;
  #onLogin;
  #onNode;
  #hash = Buffer.from(NOISE_MODE);
  #salt = this.#hash;
  #key = this.#hash;
  #counter = 0;
  #ephemeral = Curve.generateKeyPair();
  #transport;
  #unread = NOTHING;
  #introduced = false;

  constructor(identity, write, onLogin, onNode) {
    this.#identity = identity;
    this.#write = write;
    this.#onLogin = onLogin;
    this.#onNode = onNode;
  }

  async received(bytes) {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    if (!this.#introduced) this.#introduction();
    while (this.#unread.length >= 3) {
      const end = 3 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) return;
      const frame = this.#unread.subarray(3, end);
      this.#unread = this.#unread.subarray(end);
      await this.#take(frame);
    }
  }

  send(node) {
    const plain = Buffer.from(encodeBinaryNode(node));
    const { write } = this.#transport;
    this.#frame(aesEncryptGCM(plain, write.key, nonce(write.counter++), NOTHING));
  }

  /** The protocol's header, behind routing information if the client has some ("ED"). */
  #introduction() {
    const header = NOISE_WA_HEADER.length;
    if (this.#unread.subarray(0, 2).toString() === 'ED') {
      this.#unread = this.#unread.subarray(7 + this.#unread.readUIntBE(4, 3));
    }
    this.#unread = this.#unread.subarray(header);
    this.#authenticate(NOISE_WA_HEADER);
    this.#introduced = true;
  }

  async #take(frame) {
    if (this.#transport) {
      const { read } = this.#transport;
      const plain = aesDecryptGCM(frame, read.key, nonce(read.counter++), NOTHING);
      return this.#onNode(await decodeBinaryNode(plain));
    }
    const { clientHello, clientFinish } = proto.HandshakeMessage.decode(frame);
    if (clientHello) await this.#hello(Buffer.from(clientHello.ephemeral));
    else await this.#finish(clientFinish);
  }

  async #hello(theirs) {
    const { leaf, chain } = this.#identity;
    const ephemeral = this.#ephemeral;
    this.#authenticate(theirs);
    this.#authenticate(ephemeral.public);
    await this.#mix(Curve.sharedKey(ephemeral.private, theirs));
    const key = this.#encrypt(leaf.public);
    await this.#mix(Curve.sharedKey(leaf.private, theirs));
    const payload = this.#encrypt(chain);
    const serverHello = { ephemeral: ephemeral.public, static: key, payload };
    this.#frame(Buffer.from(proto.HandshakeMessage.encode({ serverHello }).finish()));
  }

  async #finish(clientFinish) {
    const theirs = this.#decrypt(Buffer.from(clientFinish.static));
    await this.#mix(Curve.sharedKey(this.#ephemeral.private, theirs));
    const payload = this.#decrypt(Buffer.from(clientFinish.payload));
    const [read, write] = await this.#derive(NOTHING);
    this.#transport = { read: { key: read, counter: 0 }, write: { key: write, counter: 0 } };
    this.#onLogin(proto.ClientPayload.decode(payload));
  }

  #frame(bytes) {
    const head = Buffer.alloc(3);
    head.writeUIntBE(bytes.length, 0, 3);
    this.#write(Buffer.concat([head, bytes]));
  }

  #authenticate(data) {
    this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  #encrypt(plain) {
    const sealed = aesEncryptGCM(plain, this.#key, nonce(this.#counter++), this.#hash);
    this.#authenticate(sealed);
    return sealed;
  }

  #decrypt(sealed) {
    const plain = aesDecryptGCM(sealed, this.#key, nonce(this.#counter++), this.#hash);
    this.#authenticate(sealed);
    return plain;
  }

  async #mix(secret) {
    [this.#salt, this.#key] = await this.#derive(secret);
    this.#counter = 0;
  }

  async #derive(secret) {
    const options = { salt: this.#salt, info: '' };
    const keys = Buffer.from(await hkdf(Buffer.from(secret), 64, options));
    return [keys.subarray(0, 32), keys.subarray(32)];
  }
}

function nonce(counter) {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}
