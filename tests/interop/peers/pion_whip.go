// Pion, WebRTC in Go, as a server that takes WHIP: prints its port, then answers GET /seen with what arrived.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

type seen struct {
	sync.Mutex
	packets   map[string]int
	frames    map[uint32]bool
	keyframes map[uint32]bool
	codecs    map[string]string
	offers    int
	refused   int
	deleted   int
	state     string
}

// isKeyframe tells whether an H.264 payload begins or carries an IDR picture (RFC 6184).
func isKeyframe(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	switch payload[0] & 0x1f {
	case 5:
		return true
	case 24:
		for at := 1; at+2 < len(payload); {
			size := int(payload[at])<<8 | int(payload[at+1])
			if payload[at+2]&0x1f == 5 {
				return true
			}
			at += 2 + size
		}
	case 28:
		return payload[1]&0x80 != 0 && payload[1]&0x1f == 5
	}
	return false
}

func (s *seen) take(pc *webrtc.PeerConnection, track *webrtc.TrackRemote) {
	s.Lock()
	s.codecs[track.Kind().String()] = track.Codec().MimeType
	s.Unlock()
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		go func() {
			for pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}}) == nil {
				time.Sleep(time.Second)
			}
		}()
	}
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		s.Lock()
		s.packets[track.Kind().String()]++
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			s.frames[packet.Timestamp] = true
			if isKeyframe(packet.Payload) {
				s.keyframes[packet.Timestamp] = true
			}
		}
		s.Unlock()
	}
}

func main() {
	token := os.Args[1]
	s := &seen{packets: map[string]int{}, frames: map[uint32]bool{}, keyframes: map[uint32]bool{}, codecs: map[string]string{}}
	var open *webrtc.PeerConnection
	http.HandleFunc("/whip", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			s.Lock()
			s.refused++
			s.Unlock()
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodDelete {
			s.Lock()
			s.deleted++
			s.Unlock()
			must(open.Close())
			return
		}
		body, err := io.ReadAll(r.Body)
		must(err)
		pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
		must(err)
		open = pc
		pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.take(pc, track) })
		pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
			s.Lock()
			s.state = state.String()
			s.Unlock()
		})
		must(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(body)}))
		answer, err := pc.CreateAnswer(nil)
		must(err)
		gathered := webrtc.GatheringCompletePromise(pc)
		must(pc.SetLocalDescription(answer))
		<-gathered
		s.Lock()
		s.offers++
		s.Unlock()
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/whip")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, pc.LocalDescription().SDP)
	})
	http.HandleFunc("/seen", func(w http.ResponseWriter, _ *http.Request) {
		s.Lock()
		defer s.Unlock()
		must(json.NewEncoder(w).Encode(map[string]interface{}{
			"video": s.packets["video"], "audio": s.packets["audio"], "frames": len(s.frames),
			"keyframes": len(s.keyframes), "codecs": s.codecs, "offers": s.offers, "refused": s.refused,
			"deleted": s.deleted, "state": s.state,
		}))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	must(http.Serve(listener, nil))
}
