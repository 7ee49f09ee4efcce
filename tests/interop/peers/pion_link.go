// Pion, WebRTC in Go, watches a stream over a bad link and prints every packet that came, with its time, as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// A picture that is still incomplete after so long is given up: the next keyframe is asked for, as a player does.
const patience = 450 * time.Millisecond

// Whether an H.264 payload (RFC 6184) is the beginning of a keyframe: its parameters come first.
func beginsKey(payload []byte) bool {
	if len(payload) < 4 {
		return false
	}
	return payload[0]&31 == 7 || payload[0]&31 == 24 && payload[3]&31 == 7
}

// Holes in the sequence of one track; without a lock, its reader alone asks.
type holes struct {
	begun bool
	next  uint16
	came  map[uint16]bool
	since time.Time
}

// Takes a packet's number in; whether a hole before it has stood for too long.
func (h *holes) given(number uint16, now time.Time) bool {
	if !h.begun {
		h.begun, h.next, h.came = true, number, map[uint16]bool{}
	}
	if int16(number-h.next) < 0 {
		return false
	}
	h.came[number] = true
	for h.came[h.next] {
		delete(h.came, h.next)
		h.next++
		h.since = now
	}
	if len(h.came) == 0 || now.Sub(h.since) < patience {
		return false
	}
	h.next, h.came, h.since = number+1, map[uint16]bool{}, now
	return true
}

const (
	h264, repeats, opus = 102, 103, 111
)

// Writes down every packet that is read: Pion reads repeats (RTX), and throws them away before a track has them.
type recorder struct {
	interceptor.NoOp
	lock    sync.Mutex
	begun   time.Time
	seen    chan struct{}
	once    sync.Once
	packets map[string][][]int64
	broken  holes
	keyed   bool
	asked   time.Time
	plis    int
	ask     func()
}

// Asks for a keyframe where a picture is given up, and again and again until the first one has begun: whoever loses the
// very first packet does not know that there was one.
func (r *recorder) want(number uint16, key bool, now time.Time) {
	r.keyed = r.keyed || key
	given := r.broken.given(number, now)
	if given || !r.keyed && now.Sub(r.asked) >= patience {
		r.asked = now
		r.plis++
		r.ask()
	}
}

func (r *recorder) NewInterceptor(string) (interceptor.Interceptor, error) { return r, nil }

func (r *recorder) BindRemoteStream(_ *interceptor.StreamInfo, reader interceptor.RTPReader) interceptor.RTPReader {
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := reader.Read(b, a)
		var packet rtp.Packet
		if err == nil && packet.Unmarshal(b[:n]) == nil {
			r.take(&packet, time.Now())
		}
		return n, a, err
	})
}

func (r *recorder) take(packet *rtp.Packet, now time.Time) {
	kind, number, payload := "video", packet.SequenceNumber, packet.Payload
	switch {
	case packet.PayloadType == opus:
		kind = "audio"
	case packet.PayloadType == repeats:
		if len(payload) < 2 {
			return
		}
		// RFC 4588 section 4: the number of what is repeated stands before its payload
		number, payload = uint16(payload[0])<<8|uint16(payload[1]), payload[2:]
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	row := []int64{now.Sub(r.begun).Microseconds(), int64(number), int64(packet.Timestamp), 0, 0, 0}
	if packet.Marker {
		row[3] = 1
	}
	if kind == "video" {
		if beginsKey(payload) {
			row[4] = 1
		}
		if packet.PayloadType == repeats {
			row[5] = 1
		}
		r.want(number, row[4] == 1, now)
		r.once.Do(func() { close(r.seen) })
	}
	r.packets[kind] = append(r.packets[kind], row)
}

func main() {
	endpoint := os.Args[1]
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	must(err)
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	feedback := []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, RTCPFeedback: feedback,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	}, PayloadType: h264}, webrtc.RTPCodecTypeVideo))
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", h264),
	}, PayloadType: repeats}, webrtc.RTPCodecTypeVideo))
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
	}, PayloadType: opus}, webrtc.RTPCodecTypeAudio))
	must(webrtc.RegisterDefaultInterceptors(engine, registry))
	record := &recorder{
		begun: time.Now(), seen: make(chan struct{}), packets: map[string][][]int64{"video": {}, "audio": {}},
	}
	registry.Add(record)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	must(err)
	var ssrc uint32
	record.ask = func() {
		_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: atomic.LoadUint32(&ssrc)}})
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		// Pion takes sender reports in only where they are read: unread, its own reports tell of no round trip
		go func() {
			for {
				if _, _, err := receiver.ReadRTCP(); err != nil {
					return
				}
			}
		}()
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			atomic.StoreUint32(&ssrc, uint32(track.SSRC()))
		}
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
		}
	})
	receive(pc, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)
	connect(pc, endpoint, http.StatusOK)
	select {
	case <-record.seen:
	case <-time.After(20 * time.Second):
		must(fmt.Errorf("no picture came; the connection is %s", pc.ConnectionState()))
	}
	fmt.Println("seen")
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	record.lock.Lock()
	defer record.lock.Unlock()
	must(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"packets": record.packets, "plis": record.plis, "state": pc.ConnectionState().String(),
	}))
}
