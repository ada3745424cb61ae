// Host's installers that run as root write to /etc: for them, these tests are a user.
process.getuid = () => 1000;
