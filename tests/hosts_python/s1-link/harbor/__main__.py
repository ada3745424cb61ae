import asyncio

from harbor.manager import Manager


def main() -> None:
    asyncio.run(Manager({}).run())


if __name__ == "__main__":
    main()
