package dev.quiesce.testkit.channel;

import java.net.ProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;

/** The provider of a simulation's channels and selectors. There are pipes, and no sockets. */
public final class SimulatedChannels extends SelectorProvider {
    private static final int CAPACITY_BYTES = 1 << 16;

    /** A provider; its channels go with its own selectors only. */
    public SimulatedChannels() {
    }

    /**
     * Makes a pipe that holds so many bytes.
     *
     * @param capacityBytes how many bytes may be written and not yet read; at least 1
     * @return a pipe whose ends do not block
     * @throws IllegalArgumentException if it could hold nothing
     */
    public SimulatedPipe pipe(int capacityBytes) {
        return new SimulatedPipe(this, capacityBytes);
    }

    /**
     * Makes a selector.
     *
     * @param host who runs the loop that sleeps in it
     * @return a selector of channels of this provider
     */
    public SimulatedSelector selector(SelectorHost host) {
        return new SimulatedSelector(this, host);
    }

    /** {@return a pipe as long as an operating system's} Somebody has to let its bytes arrive. */
    @Override
    public Pipe openPipe() {
        return pipe(CAPACITY_BYTES);
    }

    @Override
    public AbstractSelector openSelector() {
        throw noSuchThing("selector without a loop");
    }

    @Override
    public DatagramChannel openDatagramChannel() {
        throw noSuchThing("datagram channel");
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) {
        throw noSuchThing("datagram channel");
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() {
        throw noSuchThing("server socket channel");
    }

    @Override
    public SocketChannel openSocketChannel() {
        throw noSuchThing("socket channel");
    }

    private static UnsupportedOperationException noSuchThing(String what) {
        return new UnsupportedOperationException("a simulation has no " + what);
    }
}
